#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace crossgrid {

/// True if the bytes start like a gzip file.
bool is_gzip(std::span<const std::uint8_t> bytes);

/// The first `at_most` bytes of what `packed` holds, or all if there are fewer (only then are its checksum and end
/// checked). Memory grows with what comes out, so a header that lies costs nothing. Error(bad_input) names `file` and
/// whether it is cut short, damaged, or followed by other bytes.
std::vector<std::uint8_t> gunzip(std::span<const std::uint8_t> packed, std::size_t at_most, const std::string& file);

/// The same into memory that is there: fills `out` and returns how many bytes there are, out.size() + 1 where more.
std::size_t gunzip_into(std::span<const std::uint8_t> packed, std::span<std::uint8_t> out, const std::string& file);

/// No gzip file of `packed` bytes holds more than this: deflate makes at most 1,032 bytes of one.
std::size_t most_unpacked(std::size_t packed);

}  // namespace crossgrid
