#include "crossgrid/base/uniform.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

namespace crossgrid {
namespace {

const DrawSequence sequence{{{1, 2}}, 3, 4};

std::vector<float> draws(std::size_t count, std::uint64_t first = 0) {
  std::vector<float> out(count);
  fill_uniforms(out, sequence, first);
  return out;
}

/// Kolmogorov-Smirnov distance to the uniform law on +-sqrt 3, times sqrt(n); above 2.69 with probability 1e-6.
double kolmogorov(std::vector<float> values) {
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  double distance = 0;
  for (std::size_t k = 0; k < values.size(); ++k) {
    const double expected = std::clamp(0.5 + static_cast<double>(values[k]) / std::sqrt(12.0), 0.0, 1.0);
    distance = std::max({distance, expected - static_cast<double>(k) / n, static_cast<double>(k + 1) / n - expected});
  }
  return distance * std::sqrt(n);
}
constexpr double kolmogorov_limit = 2.6935;  // sqrt(ln(2e6) / 2)

TEST(Uniform, FollowsTheExactDistribution) {
  EXPECT_LT(kolmogorov(draws(1 << 24)), kolmogorov_limit);
}

TEST(Uniform, DistributionTestRejectsAWidthTwoPerMilleTooLarge) {
  std::vector<float> values = draws(1 << 24);
  for (float& v : values) v *= 1.002f;
  EXPECT_GT(kolmogorov(std::move(values)), kolmogorov_limit);
}

TEST(Uniform, StaysWithinItsWidth) {
  EXPECT_FLOAT_EQ(standard_uniform(0x80000000u), -std::sqrt(3.0f));
  EXPECT_FLOAT_EQ(standard_uniform(0x7fffffffu), std::sqrt(3.0f));
  EXPECT_EQ(standard_uniform(0), 0.0f);
}

TEST(Uniform, NeighboursAreUncorrelated) {
  const std::size_t n = 1 << 20;
  const std::vector<float> values = draws(n + 64);
  for (const std::size_t lag : {0u, 1u, 4u, 16u, 32u, 48u, 64u}) {
    double sum = 0;
    for (std::size_t k = 0; k < n; ++k) sum += static_cast<double>(values[k]) * values[k + lag];
    const double z = sum / std::sqrt(static_cast<double>(n));
    if (lag == 0) {
      EXPECT_GT(z, 1000);  // the test sees dependence
    } else {
      EXPECT_LT(std::abs(z), 4.9) << "lag " << lag;
    }
  }
}

/// The loop compiled for this processor's vectors and the scalar function give the same bits, from any start.
TEST(Uniform, VectorsAndSingleDrawsAreTheSameBits) {
  for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{63}, (std::uint64_t{1} << 34) - 130}) {
    for (const std::size_t count : {1u, 63u, 64u, 65u, 300u}) {
      const std::vector<float> filled = draws(count, first);
      for (std::size_t k = 0; k < count; ++k) {
        ASSERT_EQ(std::bit_cast<std::uint32_t>(filled[k]),
                  std::bit_cast<std::uint32_t>(uniform_draw(sequence, first + k)))
            << first << " + " << k;
      }
    }
  }
}

}  // namespace
}  // namespace crossgrid
