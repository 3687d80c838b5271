#pragma once

#include <cstdint>

#include "crossgrid/base/philox.hpp"

namespace crossgrid {

/// Random draws, numbered: draw `index` of (key, image, cycle) is the same on any thread, instruction set and device.
struct DrawSequence {
  PhiloxKey key;
  std::uint32_t image = 0;  ///< counter word 2
  std::uint32_t cycle = 0;  ///< counter word 3
};

/// Draws are numbered in groups of 64, made from 16 counters: draw 64 g + 16 k + i is the k-th draw of counter
/// 16 g + i. So a vector of counters gives vectors of consecutive draws.
constexpr int draw_group = 64;

/// The four draws of one counter.
struct DrawQuad {
  float draw[4];
};

/// The random words of one counter.
CROSSGRID_HD_INLINE PhiloxBlock draw_words(const DrawSequence& sequence, std::uint64_t counter) {
  return philox4x32({{static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32), sequence.image,
                      sequence.cycle}},
                    sequence.key);
}

}  // namespace crossgrid
