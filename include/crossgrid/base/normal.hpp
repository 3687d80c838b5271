#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "crossgrid/base/box_muller.hpp"
#include "crossgrid/base/draw_sequence.hpp"

namespace crossgrid {

/// Standard normal draws: Philox words through box_muller.
CROSSGRID_HD_INLINE DrawQuad normal_quad(const DrawSequence& sequence, std::uint64_t counter) {
  const PhiloxBlock block = draw_words(sequence, counter);
  const NormalPair a = box_muller(block.word[0], block.word[1]);
  const NormalPair b = box_muller(block.word[2], block.word[3]);
  return {{a.first, a.second, b.first, b.second}};
}

/// Element i of the draws from group `first_group` on: writes the four draws of counter i (for_each_index over
/// 16 * groups).
struct FillNormals {
  float* out;
  DrawSequence sequence;
  std::uint64_t first_group;

  CROSSGRID_HD_INLINE void operator()(std::size_t i) const {
    const DrawQuad quad = normal_quad(sequence, first_group * 16 + i);
    float* const group = out + i / 16 * draw_group + i % 16;
    for (std::size_t k = 0; k < 4; ++k) group[16 * k] = quad.draw[k];
  }
};

/// One draw: a quarter of the speed of fill_normals, for single values.
CROSSGRID_HD_INLINE float normal_draw(const DrawSequence& sequence, std::uint64_t index) {
  const DrawQuad quad = normal_quad(sequence, index / draw_group * 16 + index % 16);
  return quad.draw[index % draw_group / 16];
}

/// Draws first, first + 1, ... of a sequence. Fastest where `first` and the size are multiples of 64.
void fill_normals(std::span<float> out, const DrawSequence& sequence, std::uint64_t first);

}  // namespace crossgrid
