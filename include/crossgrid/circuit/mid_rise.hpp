#pragma once

#include "crossgrid/base/host_device.hpp"
#include "crossgrid/base/rounding.hpp"
#include "crossgrid/circuit/converter_config.hpp"

namespace crossgrid {

/// Scale of the converters with 2^bits levels Vref (2k + 1 - 2^bits) / 2^bits, Vref = max(|low|, |high|): zero is a
/// threshold, not a level. Their circuits see voltages as ratios to Vref, so that errors do not depend on the range.
struct MidRise {
  double low, high;  ///< input range [cell currents]
  double to_ratio;   ///< 1 / Vref
  double step;       ///< output per code [cell currents]
  double base;       ///< output of code 0

  /// Clipped input as a ratio to Vref; NaN stays NaN.
  CROSSGRID_HD_INLINE double ratio(float current) const {
    return limited(static_cast<double>(current), low, high) * to_ratio;
  }
  /// Nominal output of a code; NaN where the input was.
  CROSSGRID_HD_INLINE float output(double code, double ratio) const {
    return static_cast<float>(ratio == ratio ? fused(code, step, base) : ratio);
  }
};

/// A range of zero width about zero gives zero.
MidRise mid_rise(Interval range, int bits);

/// Amplifier gain 10^(db / 20), by plain arithmetic: the same bits on every host.
double amplifier_gain(double db);

}  // namespace crossgrid
