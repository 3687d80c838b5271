#pragma once

#include <cstdint>
#include <optional>

namespace crossgrid {

/// Bytes that this machine can still give to programs (MemAvailable of /proc/meminfo); nothing where that can't be
/// read.
std::optional<std::uint64_t> available_memory();

}  // namespace crossgrid
