#include "crossgrid/core/reference_adc.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "crossgrid/circuit/circuit_adc.hpp"

namespace crossgrid {
namespace {

struct Case {
  const char* name;
  AdcConfig config;
  int columns = 20;
  int values = 100;  ///< per column
};

AdcConfig circuit(ConverterModel model, int bits, bool flag, double gain_db) {
  AdcConfig config;
  config.model = model;
  config.bits = bits;
  config.split = config.symmetric = flag;
  config.group = 6;
  config.errors = {0.04, 0.004, 0.003, 0.1, 0.01, gain_db};
  return config;
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const int bits : {1, 2, 4, 7, 8}) {
    for (const double gain : {30.0, 100.0}) {
      all.push_back({"ramp, symmetric", circuit(ConverterModel::ramp, bits, true, gain)});
      all.push_back({"ramp, unsigned", circuit(ConverterModel::ramp, bits, false, gain)});
    }
  }
  for (const int bits : {1, 2, 3, 4, 5, 8, 11, 12, 16}) {
    for (const double gain : {30.0, 100.0}) {
      all.push_back({"sar, split", circuit(ConverterModel::sar, bits, true, gain)});
      all.push_back({"sar, not split", circuit(ConverterModel::sar, bits, false, gain)});
      all.push_back({"pipeline", circuit(ConverterModel::pipeline, bits, true, gain)});
      all.push_back({"cyclic", circuit(ConverterModel::cyclic, bits, true, gain)});
    }
  }
  // Large errors: levels out of order, codes missing.
  for (const auto model : {ConverterModel::ramp, ConverterModel::sar}) {
    for (const bool flag : {false, true}) {
      all.push_back({"much mismatch", circuit(model, 6, flag, 40)});
      all.back().config.errors.sigma_capacitor = 0.5;
    }
  }
  // Above 12 bits the ramp is searched, not tabulated.
  for (const bool flag : {false, true}) {
    all.push_back({"fine ramp", circuit(ConverterModel::ramp, 13, flag, 100), 5, 10});
    all.back().config.errors.sigma_capacitor = 0.3;
  }
  for (const int bits : {1, 4, 8, 16}) {
    for (const auto model : {ConverterModel::quantizer, ConverterModel::sign_magnitude}) {
      all.push_back({"stochastic", {}});
      all.back().config.model = model;
      all.back().config.bits = bits;
      all.back().config.rounding = Rounding::stochastic;
    }
  }
  all.push_back({"levels", {}});
  all.back().config.model = ConverterModel::levels;
  all.back().config.levels.levels = {0, 0.02, 0.3, 0.31, 0.5, 0.8, 1};
  all.push_back(all.back());
  all.back().config.levels.thresholds = {0.01, 0.2, 0.305, 0.4, 0.6, 0.95};
  all.push_back({"table", {}});
  all.back().config.model = ConverterModel::table;
  all.back().config.bits = 6;
  all.back().config.table = {{-1.5, -0.5, 0, 2.5}, {0.1, -0.1, 0, 0.3}, {0.2, 0.05, 0.01, 0.4}};
  return all;
}

/// The fast converters compute in double too: they may differ only where a value is at a threshold.
TEST(ReferenceAdc, FastConvertersGiveTheSameCodes) {
  const AdcStreams streams{{{5, 6}}, {{7, 8}}};
  const Interval range{-2.2, 3};
  std::size_t compared = 0, different = 0;
  for (const Case& c : cases()) {
    SCOPED_TRACE(testing::Message() << c.name << ", " << c.config.bits << " bits, " << c.config.errors.gain_db);
    const ConversionPlace place{9, 1, 50, c.columns + 7, 3};
    std::vector<float> inputs;
    for (int k = 0; k < c.values * c.columns; ++k)
      inputs.push_back(std::fmod(0.61803f * static_cast<float>(k), 6.f) - 2.7f);
    std::vector<float> values = inputs;
    make_circuit_adc(c.config, range, c.columns, streams)
        ->convert(values.data(), c.values, c.columns, c.columns, place);
    std::size_t wrong = 0;
    for (int window = 0; window < c.values; ++window) {
      for (int column = 0; column < c.columns; ++column) {
        const auto k = static_cast<std::size_t>(window * c.columns + column);
        ConversionPlace own = place;
        own.first_window += static_cast<std::uint64_t>(window);
        const double exact = reference_adc(c.config, inputs[k], range, streams, column, own);
        wrong += std::abs(values[k] - exact) > 1e-6 * 6 ? 1 : 0;
        ++compared;
      }
    }
    EXPECT_EQ(wrong, 0u);
    different += wrong;
  }
  EXPECT_EQ(different, 0u);
  EXPECT_GT(compared, 150000u);
}

TEST(ReferenceAdc, RoundsAsTheOldReferenceDid) {
  EXPECT_EQ(reference_round(0.5, 0, 3, 3), 0);
  EXPECT_EQ(reference_round(1.5, 0, 3, 3), 2);
  EXPECT_EQ(reference_round(9, 0, 3, 3), 3);
  EXPECT_EQ(reference_round(9, 2, 2, 3), 2);
  EXPECT_EQ(reference_sign_magnitude(0.9, 1, 1), 0);
  EXPECT_EQ(reference_sign_magnitude(0.6, 1, 2), 1);
}

}  // namespace
}  // namespace crossgrid
