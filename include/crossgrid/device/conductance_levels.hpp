#pragma once

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

}  // namespace crossgrid
