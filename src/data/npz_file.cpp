#include "crossgrid/data/npz_file.hpp"

#include <fmt/format.h>
#include <zip.h>

#include <filesystem>
#include <utility>

#include "crossgrid/base/error.hpp"
#include "crossgrid/data/decoded_bytes.hpp"
#include "crossgrid/data/gzip.hpp"

namespace crossgrid {
namespace {

constexpr std::string_view ending = ".npy";

zip* open_zip(const std::string& path) {
  int code = 0;
  zip* const opened = zip_open(path.c_str(), ZIP_RDONLY, &code);
  if (opened != nullptr) return opened;
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  const std::string reason = zip_error_strerror(&error);
  zip_error_fini(&error);
  throw input_error(path, "can't be read as an NPZ (zip) file: " + reason);
}

/// Reads a member to its end, where zip checks its sum.
void unpack(zip* from, const std::string& member, const std::string& name, std::span<std::uint8_t> out) {
  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(zip_fopen(from, member.c_str(), 0), &zip_fclose);
  if (!file) throw input_error(name, fmt::format("can't be unpacked: {}", zip_strerror(from)));
  std::size_t filled = 0;
  zip_int64_t got = 1;
  while (got > 0) {
    std::uint8_t beyond = 0;
    const bool full = filled == out.size();
    got = zip_fread(file.get(), full ? &beyond : out.data() + filled, full ? 1 : out.size() - filled);
    if (got < 0) throw input_error(name, fmt::format("can't be unpacked: {}", zip_file_strerror(file.get())));
    if (full && got > 0) throw input_error(name, fmt::format("holds more than the {} bytes that it states", filled));
    filled += static_cast<std::size_t>(got);
  }
  if (filled < out.size()) {
    throw input_error(name, fmt::format("cut short: found {} bytes, expected {}", filled, out.size()));
  }
}

}  // namespace

NpzFile::NpzFile(std::string path)
    : path_(std::move(path)), zip_(open_zip(path_), [](zip* file) { zip_discard(file); }) {
  for (zip_int64_t k = 0; k < zip_get_num_entries(zip_.get(), 0); ++k) {
    const char* const member = zip_get_name(zip_.get(), static_cast<zip_uint64_t>(k), 0);
    const std::string name = member == nullptr ? "" : member;
    if (name.ends_with(ending)) names_.push_back(name.substr(0, name.size() - ending.size()));
  }
}

StoredArray NpzFile::array(const std::string& name) const {
  const std::string member = name + std::string(ending), place = path_ + ": " + member;
  zip_stat_t status;
  if (zip_stat(zip_.get(), member.c_str(), 0, &status) != 0) {
    throw input_error(place, fmt::format("can't be unpacked: {}", zip_strerror(zip_.get())));
  }
  if (status.size > most_unpacked(std::filesystem::file_size(path_))) {
    throw input_error(place, fmt::format("states {} bytes, more than the file can hold", status.size));
  }
  const DecodedBytes bytes = decode_once(decoding_key("unpack " + member + " of", path_), [&] {
    return Decoding{{}, status.size, [&](std::span<std::uint8_t> out) { unpack(zip_.get(), member, place, out); }};
  });
  return {place, view_npy(bytes.bytes, place), bytes.owner};
}

}  // namespace crossgrid
