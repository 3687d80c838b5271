#pragma once

#include <cstddef>
#include <limits>

#include "crossgrid/base/host_device.hpp"
#include "crossgrid/device/device_config.hpp"

namespace crossgrid {

/// Cells that are stuck at Gmin or Gmax whatever was programmed; u is the cell's draw under DrawLaw::uniform. With a
/// higher rate the same cells are stuck and more: chips are compared like with like.
struct CellFault {
  float off_below = 0;  ///< draws below it: stuck at g_off
  float on_from = 0;    ///< draws from it on: stuck at 1
  float g_off = 0;      ///< normalised by Gmax

  CROSSGRID_HD_INLINE float operator()(float g, float u) const {
    return u < off_below ? g_off : u >= on_from ? 1.0f : g;
  }
};

/// Cell i of a plane, stuck or as it is (for_each_index, kernels/launch.cuh).
struct StickCell {
  float* cells;
  const float* draws;
  CellFault fault;

  CROSSGRID_HD_INLINE void operator()(std::size_t i) const { cells[i] = fault(cells[i], draws[i]); }
};

/// Of a draw under DrawLaw::uniform, which lies on +-sqrt 3; at 1 beyond all draws, whose largest is rounded up to the
/// end.
inline float uniform_quantile(double p) {
  return p < 1 ? static_cast<float>(1.7320508075688772 * (2 * p - 1)) : std::numeric_limits<float>::infinity();
}

inline CellFault make_cell_fault(const DeviceConfig& config) {
  return {uniform_quantile(config.faults.stuck_off), uniform_quantile(1 - config.faults.stuck_on),
          static_cast<float>(config.g_min())};
}

}  // namespace crossgrid
