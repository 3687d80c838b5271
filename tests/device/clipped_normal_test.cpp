#include "crossgrid/device/clipped_normal.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace crossgrid {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(NormalUpperTail, AgreesWithLibm) {
  for (double x = -9; x < 30; x += 0.001) {
    const double expected = 0.5 * std::erfc(x / std::sqrt(2.0));
    EXPECT_NEAR(normal_upper_tail(x), expected, 3e-13 * expected) << x;
    const double density = std::exp(-x * x / 2) / std::sqrt(2 * std::acos(-1.0));
    EXPECT_NEAR(normal_density(x), density, 3e-13 * density) << x;
  }
  EXPECT_EQ(normal_density(38), 0);
  EXPECT_EQ(normal_upper_tail(infinity), 0);
  EXPECT_EQ(normal_upper_tail(-infinity), 1);
}

/// Moments by the trapezoid rule over +-12 sigma.
ClippedMoments integrated(double mean, double sigma, double low, double high) {
  double weight = 0, first = 0, second = 0, clips = 0;
  const int steps = 400000;
  for (int k = 0; k <= steps; ++k) {
    const double z = -12 + 24.0 * k / steps, w = std::exp(-z * z / 2);
    const double v = mean + sigma * z, x = std::clamp(v, low, high);
    weight += w, first += w * x, second += w * x * x;
    if (v < low || v > high) clips += w;
  }
  first /= weight, second /= weight;
  return {first, second - first * first, clips / weight};
}

TEST(ClippedNormal, MomentsEqualAnIntegration) {
  for (const double mean : {0.0, 0.01, 0.1, 0.5, 0.95, 1.0}) {
    for (const double sigma : {0.01, 0.05, 0.3}) {
      for (const auto& [low, high] : {std::pair{0.0, infinity}, {0.0, 1.0}, {0.1, 1.0}}) {
        const ClippedMoments exact = clipped_normal(mean, sigma, low, high);
        const ClippedMoments plain = integrated(mean, sigma, low, high);
        EXPECT_NEAR(exact.mean, plain.mean, 1e-6 * sigma) << mean << ' ' << sigma;
        EXPECT_NEAR(exact.variance, plain.variance, 1e-5 * sigma * sigma) << mean << ' ' << sigma;
        EXPECT_NEAR(exact.clip_probability, plain.clip_probability, 1e-4) << mean << ' ' << sigma;
      }
    }
  }
}

/// Half of a normal at its mean: mean sigma/sqrt(2 pi), variance sigma^2 (1/2 - 1/(2 pi)).
TEST(ClippedNormal, AtZeroIsHalfANormal) {
  const ClippedMoments cell = clipped_normal(0, 0.1, 0, infinity);
  EXPECT_NEAR(cell.mean, 0.1 / std::sqrt(2 * std::acos(-1.0)), 1e-16);
  EXPECT_NEAR(cell.variance, 0.01 * (0.5 - 0.5 / std::acos(-1.0)), 1e-16);
  EXPECT_NEAR(cell.clip_probability, 0.5, 1e-14);
}

TEST(ClippedNormal, FarFromItsLimitsIsUnchanged) {
  const ClippedMoments cell = clipped_normal(0.5, 0.01, 0, 1);
  EXPECT_EQ(cell.mean, 0.5);
  EXPECT_EQ(cell.variance, 0.01 * 0.01);
  EXPECT_EQ(cell.clip_probability, 0);
}

TEST(ClippedNormal, WithoutSpreadIsTheLimitedValue) {
  const ClippedMoments cell = clipped_normal(1.5, 0, 0, 1);
  EXPECT_EQ(cell.mean, 1);
  EXPECT_EQ(cell.variance, 0);
}

}  // namespace
}  // namespace crossgrid
