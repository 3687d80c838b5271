#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "crossgrid/base/draw_sequence.hpp"

namespace crossgrid {

/// A uniform draw of mean 0 and variance 1, in [-sqrt 3, sqrt 3], from one random word.
CROSSGRID_HD_INLINE float standard_uniform(std::uint32_t word) {
  return static_cast<float>(static_cast<std::int32_t>(word)) * (1.7320508f * 0x1p-31f);
}

CROSSGRID_HD_INLINE DrawQuad uniform_quad(const DrawSequence& sequence, std::uint64_t counter) {
  const PhiloxBlock block = draw_words(sequence, counter);
  return {{standard_uniform(block.word[0]), standard_uniform(block.word[1]), standard_uniform(block.word[2]),
           standard_uniform(block.word[3])}};
}

/// Element i of the draws from group `first_group` on: writes the four draws of counter i (for_each_index over
/// 16 * groups).
struct FillUniforms {
  float* out;
  DrawSequence sequence;
  std::uint64_t first_group;

  CROSSGRID_HD_INLINE void operator()(std::size_t i) const {
    const DrawQuad quad = uniform_quad(sequence, first_group * 16 + i);
    float* const group = out + i / 16 * draw_group + i % 16;
    for (std::size_t k = 0; k < 4; ++k) group[16 * k] = quad.draw[k];
  }
};

/// One draw, for single values.
CROSSGRID_HD_INLINE float uniform_draw(const DrawSequence& sequence, std::uint64_t index) {
  const DrawQuad quad = uniform_quad(sequence, index / draw_group * 16 + index % 16);
  return quad.draw[index % draw_group / 16];
}

/// Draws first, first + 1, ... of a sequence. Fastest where `first` and the size are multiples of 64.
void fill_uniforms(std::span<float> out, const DrawSequence& sequence, std::uint64_t first);

}  // namespace crossgrid
