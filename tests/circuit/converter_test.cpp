#include "crossgrid/circuit/converter.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <set>
#include <vector>

namespace crossgrid {
namespace {

AdcConfig adc_of(ConverterModel model, int bits) {
  AdcConfig config;
  config.model = model;
  config.bits = bits;
  return config;
}

DacConfig dac_of(ConverterModel model, int bits) {
  DacConfig config;
  config.model = model;
  config.bits = bits;
  return config;
}

/// Every level, and the thresholds half way between them.
TEST(Adc, QuantizerHasTwoToTheBitsLevelsWithBothEnds) {
  for (int bits = 1; bits <= 16; ++bits) {
    const Interval range{-3, 4.5};
    const auto adc = make_adc<double>(adc_of(ConverterModel::quantizer, bits), range);
    const int levels = 1 << bits;
    const double step = (range.high - range.low) / (levels - 1);
    for (int k = 0; k < levels; ++k) {
      const double level = range.low + k * step;
      ASSERT_EQ(adc.levels.code(level), k);
      ASSERT_NEAR(adc(level), level, 1e-14);
      ASSERT_EQ(adc.levels.code(level + 0.4999 * step), k);
      ASSERT_EQ(adc.levels.code(level - 0.4999 * step), k);
    }
  }
}

TEST(Adc, SignMagnitudeHasOneLevelLessAndExactZero) {
  for (int bits = 2; bits <= 16; ++bits) {
    const auto adc = make_adc<double>(adc_of(ConverterModel::sign_magnitude, bits), {-2.5, 1});
    const int top = (1 << (bits - 1)) - 1;
    for (int k = -top; k <= top; ++k) {
      const double level = 2.5 * k / top;
      ASSERT_EQ(adc.levels.code(level), k);
      ASSERT_NEAR(adc(level), level, 1e-14);
    }
    EXPECT_EQ(adc(0.0), 0.0);
    EXPECT_EQ(adc.levels.code(1e9), top);
    EXPECT_EQ(adc.levels.code(-1e9), -top);
  }
}

TEST(Adc, TiesGoToTheEvenCode) {
  const auto adc = make_adc<float>(adc_of(ConverterModel::quantizer, 2), {0, 3});
  EXPECT_EQ(adc(0.5f), 0.0f);
  EXPECT_EQ(adc(1.5f), 2.0f);
  EXPECT_EQ(adc(2.5f), 2.0f);
}

/// In float a code may differ from the exact one only within 1e-6 of the range of a threshold.
TEST(Adc, FloatCodesDifferFromExactOnesOnlyAtThresholds) {
  for (const int bits : {4, 8, 12, 16}) {
    const Interval range{-7.3, 11.9};
    const auto exact = make_adc<double>(adc_of(ConverterModel::quantizer, bits), range);
    const auto fast = make_adc<float>(adc_of(ConverterModel::quantizer, bits), range);
    for (float v = -8; v < 13; v += 0.00037f) {
      const double scaled = (static_cast<double>(v) - range.low) * exact.levels.to_code;
      const double from_threshold = std::abs(scaled - std::floor(scaled) - 0.5) / exact.levels.to_code;
      if (from_threshold > 1e-6 * (range.high - range.low)) {
        ASSERT_EQ(fast.levels.code(v), exact.levels.code(v)) << v;
      }
    }
  }
}

TEST(Adc, NotANumberStaysVisibleAndInfinityClips) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const auto model : {ConverterModel::quantizer, ConverterModel::sign_magnitude}) {
    const auto adc = make_adc<float>(adc_of(model, 8), {-1, 1});
    std::vector<float> values(37, std::nanf(""));
    values[3] = infinity, values[5] = -infinity;
    convert(values.data(), values.size(), adc);
    for (std::size_t k = 0; k < values.size(); ++k) EXPECT_EQ(std::isnan(values[k]), k != 3 && k != 5);
    EXPECT_FLOAT_EQ(values[3], 1);
    EXPECT_FLOAT_EQ(values[5], -1);
  }
}

TEST(Adc, RangeOfZeroWidthGivesItsOneValue) {
  for (const auto model : {ConverterModel::quantizer, ConverterModel::sign_magnitude}) {
    const auto adc = make_adc<float>(adc_of(model, 8), {0, 0});
    EXPECT_EQ(adc(0.0f), 0.0f);
    EXPECT_EQ(adc(5.0f), 0.0f);
  }
  EXPECT_EQ(make_adc<float>(adc_of(ConverterModel::sign_magnitude, 1), {-1, 1})(0.9f), 0.0f);  // zero is its one level
}

TEST(AdcRange, IsTheLargestCurrentOrTheGivenOne) {
  AdcConfig config = adc_of(ConverterModel::quantizer, 8);
  config.range = RangeRule::maximum;
  EXPECT_EQ(adc_range(config, {0, 100, true, 0}), (Interval{-100, 100}));
  EXPECT_EQ(adc_range(config, {0, 100, false, 0}), (Interval{0, 100}));
  config.range = RangeRule::fixed;
  config.fixed_ranges = {{-2, 3}};
  EXPECT_EQ(adc_range(config, {1, 100, true, 0}), (Interval{-2, 3}));
}

/// Steps of the smallest difference; zero is a code.
TEST(AdcRange, GranularStepsAreWhatWeightsAndInputsCanMake) {
  AdcConfig config = adc_of(ConverterModel::quantizer, 4);
  config.range = RangeRule::granular;
  EXPECT_EQ(adc_range(config, {0, 100, false, 0.25}), (Interval{0, 3.75}));
  EXPECT_EQ(adc_range(config, {0, 100, true, 0.25}), (Interval{-2, 1.75}));
  const auto adc = make_adc<double>(config, {-2, 1.75});
  for (int k = -8; k < 8; ++k) EXPECT_EQ(adc(k * 0.25), k * 0.25);
  config.model = ConverterModel::sign_magnitude;
  EXPECT_EQ(adc_range(config, {0, 100, true, 0.25}), (Interval{-1.75, 1.75}));
}

TEST(InputScale, FollowsTheSign) {
  DacConfig config;
  EXPECT_TRUE(input_scale(config, {-2, 6}).is_signed);
  EXPECT_EQ(input_scale(config, {-2, 6}).unit, 4);
  EXPECT_FALSE(input_scale(config, {0, 6}).is_signed);
  EXPECT_EQ(input_scale(config, {0, 6}).unit, 6);
  config.sign = DacSign::is_signed;
  EXPECT_EQ(input_scale(config, {0, 6}).unit, 3);
  config.sign = DacSign::is_unsigned;
  EXPECT_EQ(input_scale(config, {-2, 6}).range, (Interval{0, 6}));
  EXPECT_EQ(input_scale(config, {0, 0}).unit, 1);
}

TEST(Dac, QuantizerSpreadsItsLevelsOverTheRange) {
  const DacConfig config = dac_of(ConverterModel::quantizer, 3);
  for (const Interval range : {Interval{0, 2.5}, Interval{-1.5, 1.5}, Interval{-0.5, 1.5}}) {
    const InputScale scale = input_scale(config, range);
    const auto dac = make_dac<double>(config, scale);
    std::set<double> levels;
    for (double x = range.low - 1; x < range.high + 1; x += 0.001) levels.insert(dac(x));
    ASSERT_EQ(levels.size(), 8u);
    int k = 0;
    for (const double level : levels) {
      EXPECT_NEAR(level, (range.low + (range.high - range.low) * k++ / 7) / scale.unit, 1e-15);
    }
  }
}

TEST(Dac, SignMagnitudeHasZeroAmongItsLevels) {
  const DacConfig config = dac_of(ConverterModel::sign_magnitude, 3);
  const auto dac = make_dac<double>(config, input_scale(config, {-2, 2}));
  std::set<double> levels;
  for (double x = -3; x < 3; x += 0.001) levels.insert(dac(x));
  EXPECT_EQ(levels.size(), 7u);
  EXPECT_EQ(dac(0.1), 0.0);
  EXPECT_NEAR(*levels.begin(), -1, 1e-15);
  EXPECT_NEAR(*levels.rbegin(), 1, 1e-15);
}

/// 2^bits lengths from 0 to all of the time; signed ones have a sign for one of their bits.
TEST(Dac, PulsesHaveLengths) {
  const DacConfig config = dac_of(ConverterModel::pulse_width, 3);
  for (const bool is_signed : {false, true}) {
    const auto dac = make_dac<double>(config, input_scale(config, {is_signed ? -2.0 : 0.0, 2}));
    std::set<double> levels;
    for (double x = -3; x < 3; x += 0.001) levels.insert(std::abs(dac(x)));
    const int lengths = is_signed ? 4 : 8;
    int k = 0;
    for (const double level : levels) EXPECT_NEAR(level, k++ / (lengths - 1.0), 1e-15);
    EXPECT_EQ(k, lengths);
    EXPECT_NEAR(dac(-1.9), is_signed ? -1 : 0, 1e-15);
  }
}

TEST(Dac, IdealOnlyScales) {
  const DacConfig config = dac_of(ConverterModel::ideal, 8);
  const auto dac = make_dac<float>(config, input_scale(config, {-2, 2}));
  EXPECT_EQ(dac(1.0f), 0.5f);
  EXPECT_EQ(dac(-8.0f), -4.0f);
}

/// The loops made for this processor against the functor, element by element, to the bit.
TEST(Convert, LoopsEqualTheFunctor) {
  std::vector<float> values;
  for (int k = 0; k < 1000; ++k) values.push_back(0.013f * static_cast<float>(k) - 5.0f);
  for (const auto& converter : {make_adc<float>(adc_of(ConverterModel::quantizer, 6), {-3, 4}),
                                make_adc<float>(adc_of(ConverterModel::sign_magnitude, 6), {-3, 4}),
                                make_dac<float>(dac_of(ConverterModel::ideal, 8), input_scale({}, {0, 3})),
                                make_adc<float>(adc_of(ConverterModel::ideal, 8), {})}) {
    std::vector<float> to(values.size()), in_place = values;
    convert(values.data(), to.data(), values.size(), converter);
    convert(in_place.data(), in_place.size(), converter);
    for (std::size_t k = 0; k < values.size(); ++k) {
      ASSERT_EQ(std::bit_cast<std::uint32_t>(to[k]), std::bit_cast<std::uint32_t>(converter(values[k])));
      ASSERT_EQ(std::bit_cast<std::uint32_t>(in_place[k]), std::bit_cast<std::uint32_t>(to[k]));
    }
  }
}

TEST(CountClipped, CountsWhatLiesOutside) {
  const auto adc = make_adc<float>(adc_of(ConverterModel::quantizer, 6), {-1, 2});
  std::vector<float> values(10000, 0.5f);
  for (std::size_t k = 0; k < values.size(); k += 10) values[k] = k % 20 == 0 ? -1.5f : 2.5f;
  values[1] = -1.0f, values[2] = 2.0f;
  EXPECT_EQ(count_clipped(values.data(), values.size(), adc), 1000u);
  EXPECT_EQ(count_clipped(values.data(), values.size(), make_adc<float>(adc_of(ConverterModel::ideal, 6), {})), 0u);
}

}  // namespace
}  // namespace crossgrid
