#include "crossgrid/circuit/stochastic_rounding.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "crossgrid/circuit/circuit_adc.hpp"

namespace crossgrid {
namespace {

AdcConfig config_of(ConverterModel model, int bits) {
  AdcConfig config;
  config.model = model;
  config.bits = bits;
  config.rounding = Rounding::stochastic;
  return config;
}

/// Outputs of many conversions of one value.
std::vector<float> conversions(const AdcConfig& config, Interval range, float value, int count) {
  std::vector<float> values(static_cast<std::size_t>(count), value);
  make_circuit_adc(config, range, 1, {{{1, 2}}, {{3, 4}}})->convert(values.data(), count, 1, 1, {5, 6, 7, 1, 0});
  return values;
}

/// Exactly two neighbours come out, the upper one as often as the fraction says: binomial limits at alpha 1e-6
/// (z = 4.892), which a fraction wrong by 0.02 fails.
TEST(StochasticRounding, IsUnbiased) {
  constexpr int count = 100000;
  for (const int bits : {4, 8, 16}) {
    const double steps = std::ldexp(1.0, bits) - 1;
    for (const double fraction : {0.0, 0.1, 0.37, 0.5, 0.83}) {
      const auto value = static_cast<float>(std::floor(steps / 3) + fraction);
      const auto exact = static_cast<double>(value) - std::floor(steps / 3);
      int up = 0;
      for (const float output : conversions(config_of(ConverterModel::quantizer, bits), {0, steps}, value, count)) {
        const double above = output - std::floor(steps / 3);
        ASSERT_TRUE(std::abs(above) < 0.01 || std::abs(above - 1) < 0.01) << output;
        up += above > 0.5 ? 1 : 0;
      }
      const double limit = 4.892 * std::sqrt(count * exact * (1 - exact));
      EXPECT_NEAR(up, count * exact, limit + 0.5) << bits << " bits, " << fraction;
      EXPECT_GT(std::abs(up - count * (exact + 0.02)), limit);
    }
  }
}

TEST(StochasticRounding, KeepsLevelsAndTheEndsOfTheRange) {
  for (const float value : {-3.0f, -1.0f, 0.0f, 2.0f, 3.0f}) {
    for (const float output : conversions(config_of(ConverterModel::sign_magnitude, 3), {-3, 2}, value, 2000)) {
      ASSERT_EQ(output, value);
    }
  }
  for (const float output : conversions(config_of(ConverterModel::quantizer, 2), {-1, 2}, 7, 2000))
    ASSERT_EQ(output, 2);
  for (const float output : conversions(config_of(ConverterModel::quantizer, 2), {-1, 2}, -7, 2000)) {
    ASSERT_EQ(output, -1);
  }
}

TEST(StochasticRounding, DrawsForEveryConversionAnew) {
  const auto adc = make_circuit_adc(config_of(ConverterModel::quantizer, 1), {0, 1}, 64, {{{1, 2}}, {{3, 4}}});
  const auto row = [&](const ConversionPlace& place) {
    std::vector<float> values(64, 0.5f);
    adc->convert(values.data(), 1, 64, 64, place);
    return values;
  };
  const ConversionPlace place{1, 2, 3, 64, 0};
  const auto first = row(place);
  EXPECT_EQ(row(place), first);
  EXPECT_NE(row({2, 2, 3, 64, 0}), first);
  EXPECT_NE(row({1, 3, 3, 64, 0}), first);
  EXPECT_NE(row({1, 2, 4, 64, 0}), first);
}

}  // namespace
}  // namespace crossgrid
