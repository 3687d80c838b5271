#pragma once

#include <cstddef>

#include "crossgrid/circuit/mid_rise.hpp"

namespace crossgrid {

/// One successive-approximation converter (physics.md section 3): a binary search of `bits` steps against its own
/// capacitor array, all in ratios to Vref. The first bit is the sign; the level of magnitude r on the side s = +-1 is
/// (s r + 2^-bits) / (gain_base + gain_slope r), its threshold 2^-bits below. A bit stays where input > threshold.
/// Compared without the division.
struct SarConverter {
  const double* weight;  ///< of bits 0 to bits - 2: magnitude that a bit adds
  int bits;
  double gain_base, gain_slope;  ///< of the divisor that the finite gain makes
  double half_step;              ///< 2^-bits
  double offset;                 ///< of the comparator

  CROSSGRID_HD_INLINE double shifted(double ratio) const { return ratio + offset + half_step; }
  CROSSGRID_HD_INLINE double sign(double input) const { return fused(input, gain_base, -half_step) > 0 ? 1.0 : -1.0; }
  /// One step: below zero a bit that stays takes nothing from the magnitude.
  CROSSGRID_HD_INLINE void search(int bit, double input, double sign, double& magnitude, double& code) const {
    const double trial = magnitude + weight[bit];
    const double level = fused(input, fused(trial, gain_slope, gain_base), -half_step);
    const double stays = level > sign * trial ? 1.0 : 0.0;
    magnitude = (stays - 0.5) * sign > 0 ? trial : magnitude;
    code = code + code + stays;
  }
  CROSSGRID_HD_INLINE double code(double ratio) const {
    const double input = shifted(ratio), side = sign(input);
    double magnitude = 0, code = side > 0 ? 1 : 0;
    for (int bit = bits - 2; bit >= 0; --bit) search(bit, input, side, magnitude, code);
    return code;
  }
};

/// Element i of the columns of one converter, in place.
struct ConvertSar {
  float* values;
  MidRise scale;
  SarConverter adc;

  CROSSGRID_HD_INLINE void operator()(std::size_t i) const {
    const double ratio = scale.ratio(values[i]);
    values[i] = scale.output(adc.code(ratio), ratio);
  }
};

}  // namespace crossgrid
