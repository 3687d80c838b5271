#pragma once

#include "crossgrid/device/clipped_moments.hpp"

namespace crossgrid {

/// Closed form for N(mean, sigma^2) limited to [low, high] (high may be infinite); sigma 0 gives the limited mean.
/// Absolute error about 1e-15 sigma. No libm, so the same bits everywhere: read noise is built on it.
ClippedMoments clipped_normal(double mean, double sigma, double low, double high);

/// Density and upper tail (1 - distribution function) of the standard normal, without libm; relative error about 1e-13
/// for |x| < 37, zero density beyond.
double normal_density(double x);
double normal_upper_tail(double x);

}  // namespace crossgrid
