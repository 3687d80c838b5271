#pragma once

#include <vector>

#include "crossgrid/circuit/converter_config.hpp"

namespace crossgrid {

class FloatHistogram;

/// How calibration chooses a converter's range from profiled values (spec.md, calibration.method).
enum class RangeFit {
  least_squares,   ///< least mean square difference between values and levels
  least_absolute,  ///< least mean absolute difference: large values weigh less
  percentile,      ///< values beyond the percentile are clipped
  maximum          ///< nothing is clipped
};

struct RangeRequest {
  RangeFit fit = RangeFit::least_squares;
  double percentile = 99.99;  ///< of the magnitudes (symmetric ranges) or at each end
};

/// Input range of a layer: [0, h] where inputs are unsigned, else [-h, h]. DacSign::automatic: unsigned where no value
/// is negative. h > 0; 1 where all values are zero.
Interval fit_dac_range(const FloatHistogram& inputs, const DacConfig& dac, const RangeRequest& request);

/// Range of a layer's ADCs: [low, high] for the quantizer, [-h, h] for sign_magnitude.
Interval fit_adc_range(const FloatHistogram& currents, const AdcConfig& adc, const RangeRequest& request);

/// Ranges of weight slices whose widths are those of the widest one over powers of two, so that shift-and-add needs no
/// multiplier; each holds its own range and zero. The ends keep the widest one's proportions. One range stays as it is.
std::vector<Interval> with_power_ratios(const std::vector<Interval>& ranges);

/// Mean square error of clipping to [low, high] and rounding to `steps` + 1 levels from low to high: what least squares
/// minimises.
double quantization_error(const FloatHistogram& values, Interval range, double steps);
/// Mean absolute error of the same: what the least absolute error minimises.
double absolute_quantization_error(const FloatHistogram& values, Interval range, double steps);

}  // namespace crossgrid
