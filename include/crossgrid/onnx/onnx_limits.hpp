#pragma once

#include <cstdint>

/// How large what an ONNX file asks for may be.
namespace crossgrid {

#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
// Little enough that no input takes seconds, whatever it asks for.
inline constexpr int limit_bits = 16;
#else
inline constexpr int limit_bits = 26;
#endif

/// The most values that one result may have, unless the file itself holds a larger tensor; and the largest attribute
/// that counts positions.
inline constexpr std::int64_t most_values = std::int64_t{1} << limit_bits;
/// The most additions and the like that one node may need.
inline constexpr std::int64_t most_steps = most_values << 8;

}  // namespace crossgrid
