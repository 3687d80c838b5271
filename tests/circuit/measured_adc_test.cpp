#include "crossgrid/circuit/measured_adc.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "crossgrid/circuit/circuit_adc.hpp"

namespace crossgrid {
namespace {

AdcConfig config_of(AdcTable table, int bits) {
  AdcConfig config;
  config.model = ConverterModel::table;
  config.bits = bits;
  config.table = std::move(table);
  return config;
}

std::vector<float> converted(const AdcConfig& config, Interval range, std::vector<float> values) {
  const auto count = static_cast<int>(values.size());
  make_circuit_adc(config, range, 1, {{{1, 2}}, {{3, 4}}})->convert(values.data(), count, 1, 1, {0, 0, 0, 1, 0});
  return values;
}

TEST(MeasuredAdc, InterpolatesTheMeanAndKeepsItBeyondTheEnds) {
  const AdcConfig config = config_of({{0, 2, 4}, {0, 1, -3}, {0, 0, 0}}, 16);
  const auto values = converted(config, {-10, 10}, {-1, 0, 1, 2, 3, 4, 5});
  const double expected[] = {-1, 0, 1.5, 3, 2, 1, 2};
  for (std::size_t k = 0; k < values.size(); ++k) EXPECT_NEAR(values[k], expected[k], 20.0 / 65535);
}

TEST(MeasuredAdc, QuantisesAfterTheError) {
  const AdcConfig config = config_of({{0}, {0.4}, {0}}, 2);
  EXPECT_EQ(converted(config, {0, 3}, {0, 0.2f, 1, 2.7f}), (std::vector<float>{0, 1, 1, 3}));
}

/// Mean and variance at a point between two entries, limits at alpha 1e-6; a sigma wrong by 5 % fails.
TEST(MeasuredAdc, DrawsANormalOfTheInterpolatedSigma) {
  constexpr int count = 40000;
  const AdcConfig config = config_of({{0, 1}, {0, 0.2}, {0.1, 0.3}}, 16);
  double sum = 0, squares = 0;
  for (const float value : converted(config, {-4, 4}, std::vector<float>(count, 0.25f))) {
    const double error = value - 0.25 - 0.05;
    sum += error, squares += error * error;
  }
  const double sigma = 0.15, deviation = std::sqrt(squares / count);
  EXPECT_NEAR(sum / count, 0, 4.892 * sigma / std::sqrt(count));
  const double limit = 4.892 * sigma / std::sqrt(2.0 * count);
  EXPECT_NEAR(deviation, sigma, limit);
  EXPECT_GT(std::abs(deviation - 1.05 * sigma), limit);
}

}  // namespace
}  // namespace crossgrid
