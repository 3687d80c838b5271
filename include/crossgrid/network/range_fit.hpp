#pragma once

#include <span>
#include <vector>

#include "crossgrid/circuit/converter_config.hpp"

namespace crossgrid {

class FloatHistogram;

/// How calibration chooses a converter's range from profiled values (spec.md, calibration.method).
enum class RangeFit {
  least_squares,   ///< least mean square difference between values and levels
  least_absolute,  ///< least mean absolute difference: large values weigh less
  percentile,      ///< values beyond the percentile are clipped
  maximum,         ///< nothing is clipped
  signal_to_noise  ///< ADCs: least error of the layer's output (fit_output_ranges); inputs: least squares
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

/// Ranges of a layer's weight slices (widths at ratios of powers of two) with the best ratio of the variance of the
/// ideal result to that of the error of the layer's output after shift-and-add (physics.md section 3). The ideal result
/// does not depend on the ranges, so that is the least error. Approximation: errors of the slices' conversions are
/// independent and count with their squares' mean, the output's error is sum over slices of weight^2 * mean square
/// error of the slice's quantisation; row blocks, sides and input slices are pooled. One scale is common to all slices,
/// the power of two is each slice's own; the proportions of the ends are those of the widest least-squares range. One
/// slice: its least-squares range.
std::vector<Interval> fit_output_ranges(std::span<const FloatHistogram> slices, std::span<const double> weights,
                                        const AdcConfig& adc);
/// The error that it minimises.
double output_error(std::span<const FloatHistogram> slices, std::span<const double> weights, const AdcConfig& adc,
                    std::span<const Interval> ranges);

/// Mean square error of clipping to [low, high] and rounding to `steps` + 1 levels from low to high: what least squares
/// minimises.
double quantization_error(const FloatHistogram& values, Interval range, double steps);
/// Mean absolute error of the same: what the least absolute error minimises.
double absolute_quantization_error(const FloatHistogram& values, Interval range, double steps);

}  // namespace crossgrid
