#pragma once

#include <cstddef>

#include "crossgrid/base/host_device.hpp"
#include "crossgrid/base/rounding.hpp"
#include "crossgrid/device/conductance_error.hpp"
#include "crossgrid/device/curve.hpp"
#include "crossgrid/device/device_config.hpp"

/// What a measured device does to the cells of a plane, element by element (for_each_index, kernels/launch.cuh).
/// Conductances normalised by Gmax.
namespace crossgrid {

/// Standard deviation of cell i, not below 0 wherever the curve goes.
struct SpreadOfCell {
  const float* cells;
  float* sigma;
  CurveView curve;

  CROSSGRID_HD_INLINE void operator()(std::size_t i) const {
    const double value = curve(static_cast<double>(cells[i]));
    sigma[i] = value > 0 ? static_cast<float>(value) : 0.0f;
  }
};

/// Standard deviation of 1/f read noise of cell i, of which `curve` gives Q over what was programmed; `growth` is
/// sqrt(ln((t + t_read) / (2 t_read))).
struct FlickerOfCell {
  const float* cells;
  const float* programmed;
  float* sigma;
  CurveView curve;
  double growth;

  CROSSGRID_HD_INLINE void operator()(std::size_t i) const {
    const double q = curve(static_cast<double>(programmed[i]));
    const double value = static_cast<double>(cells[i]) * q * growth;
    sigma[i] = value > 0 ? static_cast<float>(value) : 0.0f;
  }
};

/// Cell i moves by the curve's value.
struct ShiftCell {
  float* cells;
  CurveView curve;

  CROSSGRID_HD_INLINE void operator()(std::size_t i) const {
    const double g = cells[i];
    cells[i] = static_cast<float>(g + curve(g));
  }
};

/// A conductance that scatters by a standard deviation of its own. What does not scatter stays as it is, beyond the
/// limits too: a dead line's cells.
struct ScatteredConductance {
  ConductanceLimits<float> limits;

  CROSSGRID_HD_INLINE float operator()(float g, float sigma, float z) const {
    return sigma > 0 ? limits(fused(sigma, z, g)) : g;
  }
};

/// Cell i scatters, and keeps to its limits.
struct ScatterCell {
  float* cells;
  const float* sigma;
  const float* draws;
  ConductanceLimits<float> limits;

  CROSSGRID_HD_INLINE void operator()(std::size_t i) const { cells[i] = limits(fused(sigma[i], draws[i], cells[i])); }
};

/// Cell i after a time t: g (t / t0)^-nu with nu = mean + sigma * draw, not below 0.
struct DriftCell {
  float* cells;
  const float* mean;
  const float* sigma;
  const float* draws;
  double log_time;  ///< ln(t / t0) >= 0
  ConductanceLimits<float> limits;

  CROSSGRID_HD_INLINE void operator()(std::size_t i) const {
    const float nu = fused(sigma[i], draws[i], mean[i]);
    const double lost = nu > 0 ? portable_exp(-static_cast<double>(nu) * log_time) : 1.0;
    cells[i] = limits(static_cast<float>(static_cast<double>(cells[i]) * lost));
  }
};

/// Cell i of a plane conducts nothing where its row's or its column's draw under DrawLaw::uniform is below a limit.
struct KillCell {
  float* cells;
  const float* row_draws;
  const float* column_draws;
  std::size_t cols;
  float dead_row_below, dead_column_below;

  CROSSGRID_HD_INLINE void operator()(std::size_t i) const {
    if (row_draws[i / cols] < dead_row_below || column_draws[i % cols] < dead_column_below) cells[i] = 0;
  }
};

/// sqrt(ln((t + t_read) / (2 t_read))), the growth of 1/f noise up to time t [s]; 0 before t_read.
double flicker_growth(double t, double t_read);

}  // namespace crossgrid
