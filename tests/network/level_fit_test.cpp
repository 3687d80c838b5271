#include "crossgrid/network/level_fit.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "crossgrid/network/float_histogram.hpp"
#include "crossgrid/network/range_fit.hpp"

namespace crossgrid {
namespace {

FloatHistogram histogram(const std::vector<float>& values) {
  FloatHistogram h;
  h.add(values.data(), values.size());
  return h;
}

FloatHistogram normal_histogram() {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 1);
  std::vector<float> values(1000000);
  for (float& v : values) v = normal(random);
  return histogram(values);
}

TEST(LevelFit, OfAUniformDensityGivesEqualLevels) {
  std::vector<float> values(100000);
  for (std::size_t k = 0; k < values.size(); ++k) values[k] = -2 + 5 * (static_cast<float>(k) + 0.5f) / 1e5f;
  const std::vector<double> levels = fit_lloyd_max(histogram(values), {-2, 3}, 8);
  ASSERT_EQ(levels.size(), 8u);
  for (int k = 0; k < 8; ++k) EXPECT_NEAR(levels[static_cast<std::size_t>(k)], (k + 0.5) / 8, 1e-3);
  EXPECT_NEAR(level_error(histogram(values), {-2, 3}, levels), 1.0 / 64 / 12, 1e-5);
}

/// J. Max, "Quantizing for minimum distortion", IRE Trans. Inf. Theory 6(1), 1960, Table I: levels and mean square
/// error for a unit normal.
TEST(LevelFit, OfANormalDensityAgreesWithMaxsTable) {
  const struct {
    std::vector<double> levels;
    double error;
  } table[] = {{{0.4528, 1.510}, 0.1175}, {{0.2451, 0.7560, 1.344, 2.152}, 0.03454}};
  const FloatHistogram values = normal_histogram();
  const Interval range{-6, 6};
  for (const auto& [upper, error] : table) {
    const std::vector<double> levels = fit_lloyd_max(values, range, static_cast<int>(2 * upper.size()));
    for (std::size_t k = 0; k < upper.size(); ++k) {
      EXPECT_NEAR(12 * levels[upper.size() + k] - 6, upper[k], 0.015);
      EXPECT_NEAR(12 * levels[upper.size() - 1 - k] - 6, -upper[k], 0.015);
    }
    EXPECT_NEAR(144 * level_error(values, range, levels), error, 0.005 * error);
  }
}

/// Against the best range of equal levels, for densities of several shapes.
TEST(LevelFit, IsNeverWorseThanEqualLevels) {
  std::mt19937 random(2);
  std::gamma_distribution<float> gamma(1.5f, 1);
  std::vector<float> skewed(100000), two(100000);
  for (float& v : skewed) v = gamma(random);
  std::normal_distribution<float> narrow(0, 0.1f);
  for (std::size_t k = 0; k < two.size(); ++k) two[k] = narrow(random) + (k % 3 == 0 ? 2.0f : -1.0f);
  for (const FloatHistogram& values : {normal_histogram(), histogram(skewed), histogram(two)}) {
    for (const int bits : {2, 3, 5}) {
      const AdcConfig adc{ConverterModel::quantizer, bits, RangeRule::calibrated, {}};
      const Interval best = fit_adc_range(values, adc, {});
      const double equal = quantization_error(values, best, std::ldexp(1.0, bits) - 1);
      const Interval all{values.min(), values.max()};
      const double width = all.high - all.low;
      const double fitted = level_error(values, all, fit_lloyd_max(values, all, 1 << bits)) * width * width;
      EXPECT_LE(fitted, 1.001 * equal) << bits << " bits";
    }
  }
}

TEST(LevelFit, CountsWhatIsOutsideAtTheEnds) {
  const std::vector<double> levels = fit_lloyd_max(histogram({-9, -9, 5, 5, 0.5f}), {0, 1}, 3);
  EXPECT_NEAR(levels[0], 0, 1e-6);
  // Within the width of its bin.
  EXPECT_NEAR(levels[1], 0.5, 0.004);
  EXPECT_NEAR(levels[2], 1, 1e-6);
}

TEST(LevelFit, WithoutValuesOrWidthGivesEqualLevels) {
  EXPECT_EQ(fit_lloyd_max({}, {0, 1}, 2), (std::vector<double>{0.25, 0.75}));
  EXPECT_EQ(fit_lloyd_max(histogram({1, 2}), {1, 1}, 2), (std::vector<double>{0.25, 0.75}));
}

TEST(LevelFit, LevelsAscend) {
  const FloatHistogram values = histogram({0, 0, 0, 1, 1, 0.2f});
  const std::vector<double> levels = fit_lloyd_max(values, {0, 1}, 16);
  EXPECT_TRUE(std::is_sorted(levels.begin(), levels.end()));
  EXPECT_EQ(std::adjacent_find(levels.begin(), levels.end()), levels.end());
}

}  // namespace
}  // namespace crossgrid
