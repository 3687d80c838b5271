#include "crossgrid/base/id128.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "crossgrid/base/error.hpp"

namespace crossgrid {

namespace {
Id128 from_xxhash(XXH128_hash_t hash) {
  return {hash.high64, hash.low64};
}

bool lower_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}
}  // namespace

std::string Id128::hex() const {
  return fmt::format("{:016x}{:016x}", high, low);
}

Id128 Id128::from_hex(std::string_view text) {
  if (text.size() != 32 || !lower_hex(text)) {
    throw Error(ExitCode::bad_input,
                fmt::format("'{}' is not an id: expected 32 lower-case hex digits", text.substr(0, 60)));
  }
  Id128 id;
  std::from_chars(text.data(), text.data() + 16, id.high, 16);
  std::from_chars(text.data() + 16, text.data() + 32, id.low, 16);
  return id;
}

Id128 hash_bytes(const void* data, std::size_t size) {
  return from_xxhash(XXH3_128bits(data, size));
}

PieceHash::PieceHash() : state_(XXH3_createState(), [](XXH3_state_s* state) { XXH3_freeState(state); }) {
  XXH3_128bits_reset(state_.get());
}

void PieceHash::add(const void* data, std::size_t size) {
  XXH3_128bits_update(state_.get(), data, size);
}

Id128 PieceHash::value() const {
  return from_xxhash(XXH3_128bits_digest(state_.get()));
}

Id128 hash_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) {
    throw input_error(path, fmt::format("can't be read: {}", std::strerror(errno)));
  }
  PieceHash hash;
  std::vector<char> block(1 << 20);
  std::size_t got = 0;
  while ((got = std::fread(block.data(), 1, block.size(), file.get())) > 0) {
    hash.add(block.data(), got);
  }
  if (std::ferror(file.get()) != 0) {
    throw input_error(path, fmt::format("can't be read: {}", std::strerror(errno)));
  }
  return hash.value();
}

}  // namespace crossgrid
