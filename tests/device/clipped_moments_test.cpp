#include "crossgrid/device/clipped_moments.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace crossgrid {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Moments by the midpoint rule.
ClippedMoments integrated(double mean, double sigma, double low, double high) {
  double first = 0, second = 0, clips = 0;
  const int steps = 400000;
  for (int k = 0; k < steps; ++k) {
    const double v = mean + sigma * std::sqrt(12.0) * ((k + 0.5) / steps - 0.5), x = std::clamp(v, low, high);
    first += x, second += x * x;
    if (v < low || v > high) ++clips;
  }
  first /= steps, second /= steps;
  return {first, second - first * first, clips / steps};
}

TEST(ClippedUniform, MomentsEqualAnIntegration) {
  for (const double mean : {0.0, 0.01, 0.1, 0.5, 0.95, 1.0}) {
    for (const double sigma : {0.01, 0.05, 0.3, 1.0}) {
      for (const auto& [low, high] : {std::pair{0.0, infinity}, {0.0, 1.0}, {0.1, 1.0}}) {
        const ClippedMoments exact = clipped_uniform(mean, sigma, low, high);
        const ClippedMoments plain = integrated(mean, sigma, low, high);
        EXPECT_NEAR(exact.mean, plain.mean, 1e-5 * sigma) << mean << ' ' << sigma;
        EXPECT_NEAR(exact.variance, plain.variance, 1e-5 * sigma * sigma) << mean << ' ' << sigma;
        EXPECT_NEAR(exact.clip_probability, plain.clip_probability, 1e-5) << mean << ' ' << sigma;
      }
    }
  }
}

TEST(ClippedUniform, OfNoWidthOrAllBeyondALimitIsOneValue) {
  EXPECT_EQ(clipped_uniform(1.5, 0, 0, 1).mean, 1);
  const ClippedMoments beyond = clipped_uniform(-1, 0.1, 0, 1);
  EXPECT_EQ(beyond.mean, 0);
  EXPECT_EQ(beyond.variance, 0);
  EXPECT_EQ(beyond.clip_probability, 1);
}

TEST(ClippedMoments, FollowTheLaw) {
  EXPECT_EQ(clipped_moments(DrawLaw::uniform, 0.5, 0.1, 0, 1).clip_probability, 0);
  EXPECT_GT(clipped_moments(DrawLaw::normal, 0.5, 0.1, 0, 1).clip_probability, 0);
}

}  // namespace
}  // namespace crossgrid
