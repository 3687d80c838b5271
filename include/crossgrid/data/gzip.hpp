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

}  // namespace crossgrid
