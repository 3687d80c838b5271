#pragma once

#include <cstddef>
#include <vector>

#include "crossgrid/base/host_device.hpp"
#include "crossgrid/circuit/mid_rise.hpp"

namespace crossgrid {

/// A function of steps: outputs[number of thresholds below x]. Ties are in the thresholds: one that its own value must
/// pass is the next double below it.
struct StepTable {
  const double* thresholds;  ///< 2^depth - 1, ascending; infinity where there is no step
  const float* outputs;      ///< one more than there are steps
  int depth;

  CROSSGRID_HD_INLINE float operator()(double x) const {
    int below = 0;
    for (int half = depth > 0 ? 1 << (depth - 1) : 0; half > 0; half /= 2) {
      below += thresholds[below + half - 1] < x ? half : 0;
    }
    return x == x ? outputs[below] : static_cast<float>(x);
  }
};

/// Its memory.
class StepTableData {
 public:
  /// outputs: one more than thresholds.
  StepTableData(std::vector<double> thresholds, std::vector<float> outputs);
  StepTable table() const { return {thresholds_.data(), outputs_.data(), depth_}; }

 private:
  std::vector<double> thresholds_;
  std::vector<float> outputs_;
  int depth_ = 0;
};

/// The threshold half way between two levels; at it, the upper one or the lower one.
double threshold_between(double lower, double upper, bool tie_goes_up);
/// A threshold at a value.
double threshold_at(double value, bool tie_goes_up);

/// Element i of one row through levels that are the same for all columns, in place.
struct ConvertSteps {
  float* values;
  StepTable table;

  CROSSGRID_HD_INLINE void operator()(std::size_t i) const { values[i] = table(static_cast<double>(values[i])); }
};

}  // namespace crossgrid
