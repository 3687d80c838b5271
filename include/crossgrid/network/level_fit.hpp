#pragma once

#include <vector>

#include "crossgrid/circuit/converter_config.hpp"

namespace crossgrid {

class FloatHistogram;

/// `count` levels with the least mean square distance to the values (Lloyd, IEEE Trans. Inf. Theory 28(2), 1982; Max,
/// IRE Trans. Inf. Theory 6(1), 1960), as fractions of the range, ascending: AdcLevels::levels. Values outside the
/// range count at its ends. Starts from equal levels and stops where no level moves, so the result is a local optimum,
/// never worse than the equal levels. Without values or width: equal levels.
std::vector<double> fit_lloyd_max(const FloatHistogram& values, Interval range, int count);

/// Mean square distance [fraction of the range squared] of values to the nearest of the levels: what is minimised.
double level_error(const FloatHistogram& values, Interval range, const std::vector<double>& levels);

}  // namespace crossgrid
