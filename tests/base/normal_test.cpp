#include "crossgrid/base/normal.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "crossgrid/base/id128.hpp"
#include "crossgrid/base/random_stream.hpp"

namespace crossgrid {
namespace {

constexpr std::size_t many = 1 << 24;

std::vector<float> draws(std::size_t count, const DrawSequence& sequence = {{{1, 2}}, 3, 4}, std::uint64_t first = 0) {
  std::vector<float> out(count);
  fill_normals(out, sequence, first);
  return out;
}

double cdf(double x) {
  return 0.5 * std::erfc(-x / std::sqrt(2.0));
}

/// Kolmogorov-Smirnov distance times sqrt(n); above 2.69 with probability 1e-6 (2 exp(-2 d^2)).
double kolmogorov(std::vector<float> values) {
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  double distance = 0;
  for (std::size_t k = 0; k < values.size(); ++k) {
    const double expected = cdf(values[k]);
    distance = std::max({distance, expected - static_cast<double>(k) / n, static_cast<double>(k + 1) / n - expected});
  }
  return distance * std::sqrt(n);
}
constexpr double kolmogorov_limit = 2.6935;  // sqrt(ln(2e6) / 2)

TEST(Normal, FollowsTheExactDistribution) {
  EXPECT_LT(kolmogorov(draws(many)), kolmogorov_limit);
}

TEST(Normal, DistributionTestRejectsASpreadTwoPerMilleTooLarge) {
  std::vector<float> values = draws(many);
  for (float& v : values) v *= 1.002f;
  EXPECT_GT(kolmogorov(std::move(values)), kolmogorov_limit);
}

/// Mean of v^power against its value, in standard errors; a normal variable leaves +-4.9 with probability 1e-6.
double moment_z(const std::vector<float>& values, int power, double expected, double variance) {
  double sum = 0;
  for (float v : values) sum += std::pow(static_cast<double>(v), power) - expected;
  return sum / std::sqrt(variance * static_cast<double>(values.size()));
}

TEST(Normal, HasTheExactMoments) {
  const std::vector<float> values = draws(many);
  EXPECT_LT(std::abs(moment_z(values, 1, 0, 1)), 4.9);
  EXPECT_LT(std::abs(moment_z(values, 2, 1, 2)), 4.9);
  EXPECT_LT(std::abs(moment_z(values, 3, 0, 15)), 4.9);
  EXPECT_LT(std::abs(moment_z(values, 4, 3, 96)), 4.9);
  EXPECT_LT(std::abs(moment_z(values, 6, 15, 10395 - 225)), 4.9);
}

/// Counts beyond a threshold are binomial.
TEST(Normal, HasTheExactTails) {
  const std::vector<float> values = draws(4 * many);
  for (const double threshold : {2.0, 3.0, 4.0, 4.5}) {
    const double p = cdf(-threshold), n = static_cast<double>(values.size());
    const auto above = std::ranges::count_if(values, [&](float v) { return v > threshold; });
    const auto below = std::ranges::count_if(values, [&](float v) { return v < -threshold; });
    EXPECT_LT(std::abs(static_cast<double>(above) - n * p), 5.2 * std::sqrt(n * p)) << threshold;
    EXPECT_LT(std::abs(static_cast<double>(below) - n * p), 5.2 * std::sqrt(n * p)) << threshold;
  }
  EXPECT_GT(*std::ranges::max_element(values), 5.0);  // 1 - 7e-9 of being so
}

/// Correlation of two equally long sequences times sqrt(n): a standard normal where they are independent.
double correlation_z(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) sum += static_cast<double>(a[k]) * b[k];
  return sum / std::sqrt(static_cast<double>(a.size()));
}

TEST(Normal, DrawsAreIndependentWithinAndBetweenSequences) {
  const std::size_t n = 1 << 20;
  const std::vector<float> base = draws(n + 64);
  const std::span<const float> all(base);
  for (const std::size_t lag : {1u, 2u, 4u, 16u, 32u, 48u, 64u}) {
    EXPECT_LT(std::abs(correlation_z(all.first(n), all.subspan(lag, n))), 4.9) << "lag " << lag;
  }
  EXPECT_GT(correlation_z(all.first(n), all.first(n)), 1000);  // the test sees dependence
  const PhiloxKey key{{1, 2}};
  for (const DrawSequence& other : {DrawSequence{key, 4, 4}, {key, 3, 5}, {{{2, 2}}, 3, 4}, {{{1, 3}}, 3, 4}}) {
    EXPECT_LT(std::abs(correlation_z(all.first(n), draws(n, other))), 4.9);
  }
}

/// Both normals of a pair: squares are independent too, and the angle is uniform over the quarters.
TEST(BoxMuller, PairsAreUncorrelatedAlsoInTheirSquares) {
  const std::size_t n = 1 << 20;
  double product = 0, squares = 0;
  int quarter[4] = {0, 0, 0, 0};
  for (std::uint32_t k = 0; k < n; ++k) {
    const PhiloxBlock block = philox4x32({{k, 0, 0, 9}}, {{5, 6}});
    const NormalPair pair = box_muller(block.word[0], block.word[1]);
    product += static_cast<double>(pair.first) * pair.second;
    squares +=
        (static_cast<double>(pair.first) * pair.first - 1) * (static_cast<double>(pair.second) * pair.second - 1);
    ++quarter[(pair.first > 0 ? 1 : 0) + (pair.second > 0 ? 2 : 0)];
  }
  EXPECT_LT(std::abs(product / std::sqrt(n)), 4.9);
  EXPECT_LT(std::abs(squares / std::sqrt(4.0 * n)), 4.9);
  for (int count : quarter) EXPECT_LT(std::abs(count - n / 4.0), 4.9 * std::sqrt(n * 3 / 16.0));
}

/// Against the transformation in double with libm.
TEST(BoxMuller, IsAccurateToAFewUnitsOfTheLastPlace) {
  double worst = 0;
  for (std::uint32_t k = 0; k < 1 << 20; ++k) {
    PhiloxBlock block = philox4x32({{k, 1, 0, 9}}, {{5, 6}});
    if (k < 64) block.word[0] = k < 32 ? 1u << k : ~(1u << (k - 32));
    // The uniform number in float, rounded where box_muller rounds it.
    const auto integer = static_cast<double>(static_cast<float>(block.word[0] >> 1));
    const double u = static_cast<double>(static_cast<float>((integer + 0.5) / 2147483648.0));
    const double radius = std::sqrt(-2 * std::log(u));
    const NormalPair pair = box_muller(block.word[0], block.word[1]);
    worst = std::max(worst, std::abs(std::hypot(pair.first, pair.second) - radius) / std::max(radius, 1e-3));
    const double turn = std::atan2(pair.second, pair.first);
    const auto low = static_cast<double>(static_cast<std::int32_t>(block.word[1] << 2)) / 2147483648.0;
    const bool opposite = block.word[1] >> 31, swapped = block.word[1] >> 30 & 1u;
    const double c = (opposite ? -1 : 1) * std::cos(low * std::atan(1.0)), s = std::sin(low * std::atan(1.0));
    if (radius > 0)
      worst = std::max(
          worst, std::abs(std::remainder(turn - (swapped ? std::atan2(c, s) : std::atan2(s, c)), 8 * std::atan(1.0))));
  }
  EXPECT_LT(worst, 4e-7);
}

TEST(Normal, ExtremeWordsStayFinite) {
  EXPECT_FLOAT_EQ(std::hypot(box_muller(0, 0).first, box_muller(0, 0).second), std::sqrt(64 * std::log(2.0)));
  EXPECT_EQ(box_muller(~0u, 12345).first, 0.0f);
}

/// The loop compiled for this processor's vectors and the scalar function give the same bits, from any start.
TEST(Normal, VectorsAndSingleDrawsAreTheSameBits) {
  const DrawSequence sequence{{{11, 12}}, 13, 14};
  for (const std::uint64_t first :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{63}, std::uint64_t{100}, (std::uint64_t{1} << 34) - 130}) {
    for (const std::size_t count : {1u, 2u, 63u, 64u, 65u, 300u}) {
      const std::vector<float> filled = draws(count, sequence, first);
      for (std::size_t k = 0; k < count; ++k) {
        ASSERT_EQ(std::bit_cast<std::uint32_t>(filled[k]),
                  std::bit_cast<std::uint32_t>(normal_draw(sequence, first + k)))
            << first << " + " << k;
      }
    }
  }
}

/// Every result with noise hangs on these bits: the same on each processor, compiler and day.
TEST(Normal, BitsStayAsTheyAre) {
  const std::vector<float> values = draws(1 << 16);
  EXPECT_EQ(hash_bytes(values.data(), values.size() * sizeof(float)).hex(), "68a961a5e44ede1576a8e095c2f340c6");
}

}  // namespace
}  // namespace crossgrid
