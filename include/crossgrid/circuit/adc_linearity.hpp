#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "crossgrid/circuit/circuit_adc.hpp"

namespace crossgrid {

/// Linearity of a converter of 2^bits codes (IEEE Std 1241: code density under a slow ramp, end-point fit).
struct AdcLinearity {
  /// Width of code k + 1 less the mean width [LSB of the mean width], k < codes - 2; the two end codes have no width.
  std::vector<double> dnl;
  /// Where code k + 1 begins, less the straight line from the first transition to the last [LSB], k < codes - 1.
  std::vector<double> inl;
  std::vector<bool> missing;  ///< by code: never an output
};
/// Largest magnitude; 0 where empty.
double largest_magnitude(const std::vector<double>& values);

/// Converts values of one column in place: value i is conversion i.
using ConvertColumn = std::function<void(float* values, std::size_t count)>;
/// Linearity of a converter whose code k < codes gives the output `lowest` + k `step`, with inputs spread evenly over
/// [-1/2, codes - 1/2] steps from `lowest`, `samples_per_code` in each code: widths are known to about 1 /
/// samples_per_code.
AdcLinearity measure_linearity(const ConvertColumn& convert, double lowest, double step, int codes,
                               int samples_per_code);

/// Any model with equal nominal levels (not ideal, not levels) over `range`, column 0 of its array.
AdcLinearity measure_linearity(const AdcConfig& config, Interval range, const AdcStreams& streams,
                               int samples_per_code);

}  // namespace crossgrid
