#include "crossgrid/circuit/step_table.hpp"

#include <cmath>
#include <limits>
#include <utility>

namespace crossgrid {

StepTableData::StepTableData(std::vector<double> thresholds, std::vector<float> outputs)
    : thresholds_(std::move(thresholds)), outputs_(std::move(outputs)) {
  while ((std::size_t{1} << depth_) < outputs_.size()) ++depth_;
  thresholds_.resize((std::size_t{1} << depth_) - 1, std::numeric_limits<double>::infinity());
}

double threshold_at(double value, bool tie_goes_up) {
  return tie_goes_up ? std::nextafter(value, -std::numeric_limits<double>::infinity()) : value;
}

double threshold_between(double lower, double upper, bool tie_goes_up) {
  return threshold_at((lower + upper) / 2, tie_goes_up);
}

}  // namespace crossgrid
