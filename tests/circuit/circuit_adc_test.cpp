#include "crossgrid/circuit/circuit_adc.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "crossgrid/circuit/adc_mismatch.hpp"
#include "crossgrid/circuit/converter.hpp"

namespace crossgrid {
namespace {

const AdcStreams streams{{{1, 2}}, {{3, 4}}};

struct Kind {
  const char* name;
  ConverterModel model;
  bool flag = true;  ///< split or symmetric
};
const Kind kinds[] = {{"ramp, symmetric", ConverterModel::ramp, true}, {"ramp, unsigned", ConverterModel::ramp, false},
                      {"sar, split", ConverterModel::sar, true},       {"sar, not split", ConverterModel::sar, false},
                      {"pipeline", ConverterModel::pipeline},          {"cyclic", ConverterModel::cyclic}};

AdcConfig config_of(const Kind& kind, int bits) {
  AdcConfig config;
  config.model = kind.model;
  config.bits = bits;
  config.split = config.symmetric = kind.flag;
  return config;
}

AdcErrors all_errors() {
  return {0.05, 0.003, 0.004, 0.1, 0.01, 60};
}

/// Every kind of circuit converter, with errors and draws.
std::vector<AdcConfig> all_configs() {
  std::vector<AdcConfig> configs;
  for (const Kind& kind : kinds) {
    configs.push_back(config_of(kind, 7));
    configs.back().errors = all_errors();
    configs.back().group = 3;
  }
  AdcConfig random;
  random.rounding = Rounding::stochastic;
  random.bits = 5;
  for (const auto model : {ConverterModel::quantizer, ConverterModel::sign_magnitude}) {
    random.model = model;
    configs.push_back(random);
  }
  AdcConfig levels;
  levels.model = ConverterModel::levels;
  levels.levels.levels = {0, 0.1, 0.15, 0.6, 1};
  configs.push_back(levels);
  AdcConfig table;
  table.model = ConverterModel::table;
  table.table = {{-1, 0, 3}, {0.1, -0.1, 0}, {0.2, 0, 0.4}};
  configs.push_back(table);
  return configs;
}

std::vector<float> ramp_of_values(std::size_t count, float low, float high) {
  std::vector<float> values(count);
  for (std::size_t k = 0; k < count; ++k) {
    values[k] = low + (high - low) * static_cast<float>(k) / static_cast<float>(count - 1);
  }
  return values;
}

/// The code of a mid-rise quantiser with 2^bits levels; at a threshold the lower one.
int mid_rise_code(double value, Interval range, int bits) {
  const double reference = std::max(std::abs(range.low), std::abs(range.high));
  const double clipped = std::clamp(value, range.low, range.high);
  const double place = std::ceil((clipped / reference + 1) * std::ldexp(1.0, bits - 1)) - 1;
  return static_cast<int>(std::clamp(place, 0.0, std::ldexp(1.0, bits) - 1));
}

TEST(CircuitAdc, WithoutErrorsEqualsTheMidRiseQuantiserCodeForCode) {
  const std::vector<float> inputs = ramp_of_values(10007, -11.3f, 10.1f);
  for (const Kind& kind : kinds) {
    for (const int bits : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16}) {
      for (const Interval range : {Interval{-7, 9}, Interval{-9, 9}, Interval{0, 5}}) {
        AdcConfig config = config_of(kind, bits);
        config.errors.gain_db = 400;
        const auto adc = make_circuit_adc(config, range, 1, streams);
        std::vector<float> values = inputs;
        adc->convert(values.data(), static_cast<int>(values.size()), 1, 1, {});
        const double reference = std::max(std::abs(range.low), std::abs(range.high));
        for (std::size_t k = 0; k < values.size(); ++k) {
          const int code = mid_rise_code(inputs[k], range, bits);
          const double level = reference * (2.0 * code + 1 - std::ldexp(1.0, bits)) / std::ldexp(1.0, bits);
          ASSERT_EQ(values[k], static_cast<float>(level)) << kind.name << ", " << bits << " bits, " << inputs[k];
        }
      }
    }
  }
}

/// At the default 100 dB, values farther than 1e-5 Vref from a threshold keep their code.
TEST(CircuitAdc, AtTheDefaultGainOnlyValuesAtThresholdsChange) {
  const std::vector<float> inputs = ramp_of_values(20001, -1.2f, 1.2f);
  for (const Kind& kind : kinds) {
    const auto adc = make_circuit_adc(config_of(kind, 8), {-1, 1}, 1, streams);
    std::vector<float> values = inputs;
    adc->convert(values.data(), static_cast<int>(values.size()), 1, 1, {});
    std::size_t changed = 0;
    for (std::size_t k = 0; k < values.size(); ++k) {
      const double scaled = inputs[k] * 128.0, from_threshold = std::abs(scaled - std::nearbyint(scaled)) / 128;
      const int code = mid_rise_code(inputs[k], {-1, 1}, 8);
      const bool same = values[k] == static_cast<float>((2.0 * code + 1 - 256) / 256);
      changed += same ? 0 : 1;
      // A pipeline's residue doubles the errors of its stages, each 2e-5.
      ASSERT_TRUE(same || from_threshold < 5e-5) << kind.name << ' ' << inputs[k];
    }
    EXPECT_LT(changed, 200u) << kind.name;
  }
}

TEST(CircuitAdc, IsTheSameInAnyTiling) {
  constexpr int windows = 13, cols = 29, stride = 31;
  const std::vector<float> inputs = ramp_of_values(windows * stride, -3.2f, 4.1f);
  for (const AdcConfig& config : all_configs()) {
    const auto adc = make_circuit_adc(config, {-2.5, 3}, cols, streams);
    std::vector<float> whole = inputs;
    adc->convert(whole.data(), windows, cols, stride, {7, 2, 100, 64, 10});
    for (const int tile : {1, 4, 5}) {
      std::vector<float> split = inputs;
      for (int first = 0; first < windows; first += tile) {
        adc->convert(split.data() + first * stride, std::min(tile, windows - first), cols, stride,
                     {7, 2, 100 + static_cast<std::uint64_t>(first), 64, 10});
      }
      ASSERT_EQ(split, whole) << static_cast<int>(config.model);
    }
    // The first columns at a group's boundary alone: by the same bank, and by one made for these only.
    const auto small = make_circuit_adc(config, {-2.5, 3}, 12, streams);
    for (const CircuitAdc* bank : {adc.get(), small.get()}) {
      std::vector<float> narrow = inputs;
      bank->convert(narrow.data(), windows, 12, stride, {7, 2, 100, 64, 10});
      for (int window = 0; window < windows; ++window) {
        for (int column = 0; column < stride; ++column) {
          const auto k = static_cast<std::size_t>(window * stride + column);
          ASSERT_EQ(narrow[k], column < 12 ? whole[k] : inputs[k]) << static_cast<int>(config.model);
        }
      }
    }
  }
}

TEST(CircuitAdc, NotANumberStaysVisibleAndInfinityClips) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (AdcConfig config : all_configs()) {
    const auto adc = make_circuit_adc(config, {-1, 2}, 4, streams);
    std::vector<float> values{std::nanf(""), infinity, -infinity, 0.1f};
    std::vector<float> clipped{0.3f, 1e30f, -1e30f, 0.1f};
    adc->convert(values.data(), 1, 4, 4, {0, 0, 0, 4, 0});
    adc->convert(clipped.data(), 1, 4, 4, {0, 0, 0, 4, 0});
    EXPECT_TRUE(std::isnan(values[0])) << static_cast<int>(config.model);
    for (std::size_t k = 1; k < 4; ++k) EXPECT_EQ(values[k], clipped[k]) << static_cast<int>(config.model);
    EXPECT_LE(std::abs(values[1]), 2.0f);
    EXPECT_GE(values[2], -2.0f);
  }
}

TEST(CircuitAdc, RangeOfZeroWidthAboutZeroGivesZero) {
  for (AdcConfig config : all_configs()) {
    const auto adc = make_circuit_adc(config, {0, 0}, 2, streams);
    std::vector<float> values{0.0f, 5.0f};
    adc->convert(values.data(), 1, 2, 2, {});
    EXPECT_EQ(values, (std::vector<float>{0.0f, 0.0f})) << static_cast<int>(config.model);
  }
}

/// Columns of a group share a converter; the ramp's share the capacitors but not the comparator.
TEST(CircuitAdc, ColumnsOfAGroupShareTheirErrors) {
  for (const Kind& kind : kinds) {
    AdcConfig config = config_of(kind, 8);
    config.errors = all_errors();
    config.group = 5;
    for (const bool comparators : {false, true}) {
      config.errors.sigma_comparator = comparators ? 0.02 : 0;
      constexpr int cols = 20;
      const auto adc = make_circuit_adc(config, {-1, 1}, cols, streams);
      std::vector<bool> like_first(cols, true);
      for (float value = -1; value < 1; value += 0.003f) {
        std::vector<float> values(cols, value);
        adc->convert(values.data(), 1, cols, cols, {});
        for (std::size_t k = 0; k < cols; ++k) like_first[k] = like_first[k] && values[k] == values[0];
      }
      const bool ramp = kind.model == ConverterModel::ramp;
      for (std::size_t k = 0; k < cols; ++k) {
        EXPECT_EQ(like_first[k], k == 0 || (ramp ? !comparators : k < 5)) << kind.name << ", column " << k;
      }
    }
  }
}

/// The parts are there before the range is chosen: errors scale with Vref.
TEST(CircuitAdc, ErrorsAreRelativeToTheRange) {
  for (const Kind& kind : kinds) {
    AdcConfig config = config_of(kind, 8);
    config.errors = all_errors();
    std::vector<float> small = ramp_of_values(3001, -1.1f, 1.1f), large(small.size());
    std::ranges::transform(small, large.begin(), [](float v) { return 4 * v; });
    make_circuit_adc(config, {-1, 1}, 1, streams)->convert(small.data(), 3001, 1, 1, {});
    make_circuit_adc(config, {-4, 4}, 1, streams)->convert(large.data(), 3001, 1, 1, {});
    for (std::size_t k = 0; k < small.size(); ++k) ASSERT_EQ(4 * small[k], large[k]) << kind.name;
  }
}

/// Capacitors of the same unit are behind converters of any resolution.
TEST(AdcMismatch, DrawsDependOnlyOnWhatTheyAreFor) {
  EXPECT_EQ(capacitor_draw(streams.mismatch, 3, CapacitorSlot::bridge), capacitor_draw(streams.mismatch, 3, 17));
  EXPECT_NE(capacitor_draw(streams.mismatch, 3, 0), capacitor_draw(streams.mismatch, 4, 0));
  EXPECT_NE(capacitor_draw(streams.mismatch, 0, 0), comparator_draw(streams.mismatch, 0, 0));
  EXPECT_NE(stage_draw(streams.mismatch, 0, 0, StagePart::c1), stage_draw(streams.mismatch, 0, 1, StagePart::c1));
  EXPECT_NE(stage_draw(streams.mismatch, 0, 0, StagePart::c1), stage_draw(streams.mismatch, 0, 0, StagePart::c2));
}

TEST(CircuitAdc, SaysWhenItIsNeededAndWhenItDraws) {
  AdcConfig config;
  EXPECT_FALSE(needs_circuit_adc(config));
  config.rounding = Rounding::stochastic;
  EXPECT_FALSE(adc_draws(config));
  for (const auto model : {ConverterModel::quantizer, ConverterModel::sign_magnitude}) {
    config = {};
    config.model = model;
    EXPECT_FALSE(needs_circuit_adc(config) || adc_draws(config));
    config.rounding = Rounding::stochastic;
    EXPECT_TRUE(needs_circuit_adc(config) && adc_draws(config));
  }
  for (const Kind& kind : kinds) {
    config = config_of(kind, 8);
    EXPECT_TRUE(needs_circuit_adc(config));
    EXPECT_FALSE(adc_draws(config));
    config.errors.sigma_comparator = 0.1;
    EXPECT_TRUE(adc_draws(config));
    config.errors = {};
    const bool stages = kind.model == ConverterModel::pipeline || kind.model == ConverterModel::cyclic;
    (stages ? config.errors.sigma_cpar : config.errors.sigma_capacitor) = 0.1;
    EXPECT_TRUE(adc_draws(config));
    config.errors = {};
    (stages ? config.errors.sigma_capacitor : config.errors.sigma_c1) = 0.1;  // a part that it does not have
    EXPECT_FALSE(adc_draws(config));
  }
  for (const AdcConfig& each : all_configs()) {
    EXPECT_TRUE(needs_circuit_adc(each));
    EXPECT_EQ(adc_draws(each), each.model != ConverterModel::levels);
  }
}

TEST(LevelAdc, GivesTheNearestLevelAndTheEvenOneAtTies) {
  AdcConfig config;
  config.model = ConverterModel::levels;
  config.levels.levels = {0, 0.25, 0.5, 1};  // of [-2, 2]: -2, -1, 0, 2
  const auto adc = make_circuit_adc(config, {-2, 2}, 1, streams);
  std::vector<float> values{-9, -1.5f, -1.4999f, -0.5f, -0.5001f, 1, 1.0001f, 9};
  adc->convert(values.data(), 8, 1, 1, {});
  EXPECT_EQ(values, (std::vector<float>{-2, -2, -1, 0, -1, 0, 2, 2}));
  config.levels.thresholds = {0.1, 0.3, 0.75};  // -1.6, -0.8, 1
  const auto own = make_circuit_adc(config, {-2, 2}, 1, streams);
  values = {-1.61f, -1.59f, -0.81f, -0.79f, 1, 1.01f};
  own->convert(values.data(), 6, 1, 1, {});
  EXPECT_EQ(values, (std::vector<float>{-2, -1, -1, 0, 0, 2}));
  EXPECT_EQ(own->range(), (Interval{-2, 2}));
}

TEST(LevelAdc, OfEqualLevelsIsTheQuantizer) {
  AdcConfig config;
  config.model = ConverterModel::levels;
  for (int k = 0; k < 16; ++k) config.levels.levels.push_back(k / 15.0);
  AdcConfig plain;
  plain.model = ConverterModel::quantizer;
  plain.bits = 4;
  std::vector<float> values = ramp_of_values(5000, -20, 20), expected = values;
  make_circuit_adc(config, {-15, 15}, 1, streams)->convert(values.data(), 5000, 1, 1, {});
  convert(expected.data(), expected.size(), make_adc<float>(plain, {-15, 15}));
  EXPECT_EQ(values, expected);
}

}  // namespace
}  // namespace crossgrid
