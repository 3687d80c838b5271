#pragma once

#include <cstdint>
#include <span>

#include "crossgrid/base/draw_sequence.hpp"

namespace crossgrid {

/// Laws of mean 0 and variance 1.
enum class DrawLaw { normal, uniform };

/// Draws first, first + 1, ... of a sequence under a law (fill_normals, fill_uniforms).
void fill_draws(DrawLaw law, std::span<float> out, const DrawSequence& sequence, std::uint64_t first);

}  // namespace crossgrid
