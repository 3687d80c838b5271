#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "crossgrid/base/box_muller.hpp"
#include "crossgrid/base/philox.hpp"

namespace crossgrid {

/// Standard normal draws, numbered: draw `index` of (key, image, cycle) is the same on any thread, instruction set and
/// device (Philox words through box_muller).
struct NormalSequence {
  PhiloxKey key;
  std::uint32_t image = 0;  ///< counter word 2
  std::uint32_t cycle = 0;  ///< counter word 3
};

/// Draws are numbered in groups of 64, made from 16 counters: draw 64 g + 16 k + i is the k-th normal of counter
/// 16 g + i. So a vector of counters gives vectors of consecutive draws.
constexpr int normal_group = 64;

/// The four draws of one counter.
struct NormalQuad {
  float draw[4];
};
CROSSGRID_HD_INLINE NormalQuad normal_quad(const NormalSequence& sequence, std::uint64_t counter) {
  const PhiloxBlock block = philox4x32({{static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32),
                                         sequence.image, sequence.cycle}},
                                       sequence.key);
  const NormalPair a = box_muller(block.word[0], block.word[1]);
  const NormalPair b = box_muller(block.word[2], block.word[3]);
  return {{a.first, a.second, b.first, b.second}};
}

/// Element i of the draws from group `first_group` on: writes the four draws of counter i (for_each_index over
/// 16 * groups).
struct FillNormals {
  float* out;
  NormalSequence sequence;
  std::uint64_t first_group;

  CROSSGRID_HD_INLINE void operator()(std::size_t i) const {
    const NormalQuad quad = normal_quad(sequence, first_group * 16 + i);
    float* const group = out + i / 16 * normal_group + i % 16;
    for (std::size_t k = 0; k < 4; ++k) group[16 * k] = quad.draw[k];
  }
};

/// One draw: a quarter of the speed of fill_normals, for single values.
CROSSGRID_HD_INLINE float normal_draw(const NormalSequence& sequence, std::uint64_t index) {
  const NormalQuad quad = normal_quad(sequence, index / normal_group * 16 + index % 16);
  return quad.draw[index % normal_group / 16];
}

/// Draws first, first + 1, ... of a sequence. Fastest where `first` and the size are multiples of 64.
void fill_normals(std::span<float> out, const NormalSequence& sequence, std::uint64_t first);

}  // namespace crossgrid
