#pragma once

#include "crossgrid/base/standard_draws.hpp"

namespace crossgrid {

/// Mean and variance of a random variable limited to [low, high], and how likely it meets a limit.
struct ClippedMoments {
  double mean = 0;
  double variance = 0;
  double clip_probability = 0;
};

/// Closed form for mean + sigma * (a standard draw under `law`), limited to [low, high] (high may be infinite); sigma 0
/// gives the limited mean. No libm, so the same bits everywhere: read noise is built on it.
ClippedMoments clipped_moments(DrawLaw law, double mean, double sigma, double low, double high);

/// The same for a uniform variable, of full width sqrt(12) sigma.
ClippedMoments clipped_uniform(double mean, double sigma, double low, double high);

}  // namespace crossgrid
