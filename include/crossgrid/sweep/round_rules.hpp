#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace crossgrid {

/// `bisect`: the values of an axis are searched, in their order and for each combination of the other axes, for where a
/// metric crosses a threshold, instead of all being run.
struct BisectRule {
  std::size_t axis = 0;
  std::vector<std::string> columns;  ///< of the axis
  std::string metric;
  std::optional<double> threshold;  ///< none: worse_by
  double worse_by = 0;              ///< the threshold is worse by this than the metric at the axis's first value
};

/// `rounds`: points get their trials in rounds; who is out, or known well enough, gets no more.
struct TrialRounds {
  std::string metric;
  std::uint32_t first = 1;           ///< trials of the first round; each later one doubles them, up to `trials`
  std::optional<double> keep_best;   ///< fraction of the points in the running that stay, rounded up
  std::optional<double> stop_width;  ///< of the 95 % interval of the metric's mean: no more trials at this or less
};

}  // namespace crossgrid
