#pragma once

#include <cstddef>

#include "crossgrid/base/host_device.hpp"
#include "crossgrid/base/rounding.hpp"
#include "crossgrid/device/device_config.hpp"

/// Random errors of one cell. Conductances are normalised by Gmax; z is a draw of mean 0 and variance 1 (DrawLaw).
namespace crossgrid {

/// Generic error of standard deviation sigma(g) = independent + proportional * g + inverse / g (two of the three are
/// zero; a cell of g = 0 has no inverse error).
template <class Real>
struct ConductanceError {
  Real independent = 0;
  Real proportional = 0;
  Real inverse = 0;

  CROSSGRID_HD_INLINE Real sigma(Real g) const {
    const Real regular = fused(proportional, g, independent);
    return inverse > 0 && g > 0 ? inverse / g : regular;
  }
  CROSSGRID_HD_INLINE Real operator()(Real g, Real z) const { return fused(sigma(g), z, g); }
};

/// What a cell's conductance can't leave: >= 0 always, [Gmin, 1] with device.clip.
template <class Real>
struct ConductanceLimits {
  Real low = 0;
  Real high = 0;  ///< infinity where there is none

  CROSSGRID_HD_INLINE Real operator()(Real g) const { return limited(g, low, high); }
};

/// A cell's conductance after one error draw and the limits: programming error and read noise alike.
template <class Real>
struct NoisyConductance {
  ConductanceError<Real> error;
  ConductanceLimits<Real> limits;

  CROSSGRID_HD_INLINE Real operator()(Real g, Real z) const { return limits(error(g, z)); }
};

/// Cell i of a plane gets its error (for_each_index, kernels/launch.cuh).
struct PerturbCell {
  float* cells;
  const float* draws;
  NoisyConductance<float> error;

  CROSSGRID_HD_INLINE void operator()(std::size_t i) const { cells[i] = error(cells[i], draws[i]); }
};

template <class Real>
ConductanceError<Real> make_error(const ErrorConfig& config);
template <class Real>
ConductanceLimits<Real> make_limits(const DeviceConfig& config);

}  // namespace crossgrid
