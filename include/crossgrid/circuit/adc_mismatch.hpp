#pragma once

#include "crossgrid/base/normal.hpp"

/// The standard normal draws of converters' parts, counted by what they belong to: part n of a converter has the same
/// draw at any number of bits, range and size of its error. Fast path and reference share only these.
namespace crossgrid {

/// Places of capacitors that stand for no bit; those of bits are at the bit's number.
enum class CapacitorSlot { feedback = 16, bridge = 17, dummy = 18 };
enum class StagePart { c1 = 0, c2 = 1, parasitic = 2 };

/// Capacitor of bit `bit` in the converter `group` of an array.
inline double capacitor_draw(PhiloxKey mismatch, int group, int bit) {
  return normal_draw({mismatch, 0, 0}, static_cast<std::uint64_t>(group) * 32 + static_cast<std::uint64_t>(bit));
}
inline double capacitor_draw(PhiloxKey mismatch, int group, CapacitorSlot slot) {
  return capacitor_draw(mismatch, group, static_cast<int>(slot));
}
/// Comparator `which` of a converter; of a ramp's column: converter is the column, `which` 0.
inline double comparator_draw(PhiloxKey mismatch, int converter, int which) {
  return normal_draw({mismatch, 1, 0}, static_cast<std::uint64_t>(converter) * 32 + static_cast<std::uint64_t>(which));
}
/// A capacitor of stage `stage` (cyclic: 0).
inline double stage_draw(PhiloxKey mismatch, int group, int stage, StagePart part) {
  return normal_draw({mismatch, 2, 0}, static_cast<std::uint64_t>(group) * 64 + static_cast<std::uint64_t>(stage) * 4 +
                                           static_cast<std::uint64_t>(part));
}

}  // namespace crossgrid
