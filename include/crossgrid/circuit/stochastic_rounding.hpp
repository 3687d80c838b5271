#pragma once

#include <cstddef>

#include "crossgrid/base/host_device.hpp"
#include "crossgrid/base/rounding.hpp"
#include "crossgrid/circuit/converter.hpp"

namespace crossgrid {

/// A converter with equally spaced levels that rounds up with the probability of the fraction, so that the mean of its
/// output is the (clipped) input. `draw` is a standard uniform (mean 0, variance 1). In double, since 16 bits leave
/// only 8 bits of a float to the fraction.
struct StochasticRounding {
  UniformConverter<double> levels;

  CROSSGRID_HD_INLINE double code(double value, float draw) const {
    const double exact = fused(limited(value, levels.low, levels.high), levels.to_code, levels.code_offset);
    const double nearest = round_half_even(exact);
    const double floor = nearest > exact ? nearest - 1 : nearest;
    // sqrt(1/12) of the draw is uniform in [-1/2, 1/2].
    const double chance = fused(static_cast<double>(draw), 0.28867513459481287, 0.5);
    return exact - floor > limited(chance, 0.0, 1.0) ? floor + 1 : floor;
  }
  CROSSGRID_HD_INLINE float operator()(float value, float draw) const {
    return static_cast<float>(fused(code(static_cast<double>(value), draw), levels.step, levels.base));
  }
};

/// Element i of one row, in place.
struct RoundAtRandom {
  float* values;
  const float* uniforms;
  StochasticRounding adc;

  CROSSGRID_HD_INLINE void operator()(std::size_t i) const { values[i] = adc(values[i], uniforms[i]); }
};

}  // namespace crossgrid
