#pragma once

#include <algorithm>
#include <vector>

#include "crossgrid/base/host_device.hpp"
#include "crossgrid/base/rounding.hpp"

namespace crossgrid {

/// 2^cell_bits equally spaced conductances from g_min to 1, both included (normalised by Gmax); a target goes to the
/// nearest, ties to the even level.
template <class Real>
struct ConductanceLevels {
  Real g_min = 0;
  Real steps = 1;  ///< 2^cell_bits - 1

  CROSSGRID_HD_INLINE Real operator()(Real g) const {
    const Real step = (1 - g_min) / steps;
    return fused(round_half_even((g - g_min) / step), step, g_min);
  }
};

/// The nearest of these ascending conductances, ties to the lower one.
inline double nearest_level(const std::vector<double>& levels, double g) {
  const auto above = std::upper_bound(levels.begin(), levels.end(), g);
  if (above == levels.begin()) return *above;
  if (above == levels.end()) return levels.back();
  return g - *(above - 1) > *above - g ? *above : *(above - 1);
}

}  // namespace crossgrid
