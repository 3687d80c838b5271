#include "crossgrid/data/idx_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "crossgrid/base/error.hpp"
#include "crossgrid/data/gzip.hpp"

namespace crossgrid {
namespace {

using Bytes = std::span<const std::uint8_t>;

std::size_t header_size(int dimensions) {
  return 4 + 4 * static_cast<std::size_t>(dimensions);
}

std::uint32_t big_endian(Bytes bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 | bytes[3];
}

std::vector<std::uint32_t> read_shape(Bytes bytes, int dimensions, const std::string& path) {
  if (bytes.size() < header_size(dimensions)) {
    throw input_error(path, fmt::format("truncated: found {} bytes, expected at least the {} of an IDX header",
                                        bytes.size(), header_size(dimensions)));
  }
  const std::uint32_t magic = big_endian(bytes);
  const std::uint32_t expected = 0x0800u | static_cast<std::uint32_t>(dimensions);
  if (magic != expected) {
    throw input_error(
        path, fmt::format("wrong magic number: found 0x{:08x}, expected 0x{:08x} (IDX, unsigned bytes, {})", magic,
                          expected, dimensions == 1 ? "1 dimension" : "3 dimensions"));
  }
  std::vector<std::uint32_t> shape(static_cast<std::size_t>(dimensions));
  for (std::size_t i = 0; i < shape.size(); ++i) shape[i] = big_endian(bytes.subspan(4 + 4 * i));
  return shape;
}

/// Size of the whole file.
std::size_t file_size(const std::vector<std::uint32_t>& shape, const std::string& path) {
  std::size_t size = 1;
  for (const std::uint32_t extent : shape) {
    // Far above any data set, far below an overflow.
    constexpr std::size_t largest = std::size_t{1} << 48;
    if (extent == 0 || __builtin_mul_overflow(size, std::size_t{extent}, &size) || size > largest) {
      throw input_error(path, fmt::format("impossible sizes in the header: {}", fmt::join(shape, " x ")));
    }
  }
  return size + header_size(static_cast<int>(shape.size()));
}

void check_size(std::size_t found, std::size_t expected, const std::vector<std::uint32_t>& shape,
                const std::string& path) {
  const auto expectation = fmt::format("expected {} ({} of header and {})", expected,
                                       header_size(static_cast<int>(shape.size())), fmt::join(shape, " x "));
  if (found < expected) throw input_error(path, fmt::format("truncated: found {} bytes, {}", found, expectation));
  if (found > expected) throw input_error(path, fmt::format("too long: found bytes beyond the end, {}", expectation));
}

}  // namespace

IdxFile::IdxFile(const std::string& path, int dimensions) : path_(path), storage_(MappedFile(path)) {
  const Bytes raw = std::get<MappedFile>(storage_).bytes();
  if (is_gzip(raw)) {
    shape_ = read_shape(gunzip(raw, header_size(dimensions), path), dimensions, path);
    const std::size_t size = file_size(shape_, path);
    // Where so much can't be in the file, it is not given memory either.
    if (size > most_unpacked(raw.size())) check_size(gunzip(raw, size, path).size(), size, shape_, path);
    DecodedBytes unpacked = decode_once(decoding_key("gunzip", path), [&] {
      return Decoding{
          {}, size, [&](std::span<std::uint8_t> out) { check_size(gunzip_into(raw, out, path), size, shape_, path); }};
    });
    bytes_ = unpacked.bytes;
    storage_ = std::move(unpacked);
  } else {
    shape_ = read_shape(raw, dimensions, path);
    bytes_ = raw;
  }
  check_size(bytes_.size(), file_size(shape_, path), shape_, path);
  bytes_ = bytes_.subspan(header_size(dimensions));
}

}  // namespace crossgrid
