#pragma once

#include <vector>

#include "crossgrid/circuit/converter_config.hpp"

namespace crossgrid {

/// Converters' ranges of a matrix layer at one point.
struct LayerRanges {
  Interval dac;                             ///< layer units
  std::vector<Interval> adc;                ///< cell currents, by weight slice; used where adc.range is calibrated
  std::vector<std::vector<double>> levels;  ///< of the range, by weight slice; where adc.levels is "lloyd_max"
};

}  // namespace crossgrid
