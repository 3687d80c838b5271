#include "crossgrid/circuit/adc_linearity.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "crossgrid/base/random_stream.hpp"

namespace crossgrid {
namespace {

AdcConfig config_of(ConverterModel model, int bits) {
  AdcConfig config;
  config.model = model;
  config.bits = bits;
  config.errors.gain_db = 400;
  return config;
}

AdcStreams streams_of(std::uint32_t trial) {
  return {stream_key(1, trial, DrawPurpose::adc_mismatch, 0, 0), stream_key(1, trial, DrawPurpose::adc_draw, 0, 0)};
}

/// Whether samples of mean 0 may have a standard deviation: chi-square limits by Wilson and Hilferty (1931), two-sided
/// alpha 1e-6 (z = 4.892).
bool agrees(const std::vector<double>& samples, double deviation) {
  const auto n = static_cast<double>(samples.size());
  double sum = 0;
  for (const double x : samples) sum += x * x;
  const double ratio = std::cbrt(sum / (n * deviation * deviation));
  const double center = 1 - 2 / (9 * n), width = std::sqrt(2 / (9 * n));
  return std::abs(ratio - center) < 4.892 * width;
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

TEST(AdcLinearity, OfIdealConvertersIsPerfect) {
  for (const auto model : {ConverterModel::quantizer, ConverterModel::sign_magnitude, ConverterModel::ramp,
                           ConverterModel::sar, ConverterModel::pipeline, ConverterModel::cyclic}) {
    for (const int bits : {2, 5, 10}) {
      const AdcLinearity found = measure_linearity(config_of(model, bits), {-1, 1}, streams_of(0), 16);
      const std::size_t codes = (std::size_t{1} << bits) - (model == ConverterModel::sign_magnitude ? 1 : 0);
      EXPECT_EQ(found.missing.size(), codes);
      EXPECT_EQ(found.dnl.size(), codes - 2);
      EXPECT_EQ(found.inl.size(), codes - 1);
      EXPECT_LT(largest_magnitude(found.dnl), 1e-12) << static_cast<int>(model) << ", " << bits;
      EXPECT_LT(largest_magnitude(found.inl), 1e-12);
      EXPECT_EQ(std::count(found.missing.begin(), found.missing.end(), true), 0);
    }
  }
}

/// Code 5 twice as wide, code 6 gone.
TEST(AdcLinearity, SeesAWideCodeAndAMissingOne) {
  const auto convert = [](float* values, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      values[i] = std::nearbyint(values[i]);
      if (values[i] == 6) values[i] = 5;
    }
  };
  const AdcLinearity found = measure_linearity(convert, 0, 1, 16, 10);
  EXPECT_NEAR(found.dnl[4], 1, 1e-12);   // code 5
  EXPECT_NEAR(found.dnl[5], -1, 1e-12);  // code 6
  EXPECT_NEAR(found.inl[6], 0, 1e-12);   // where code 7 begins
  EXPECT_NEAR(found.inl[5], 1, 1e-12);   // where code 6 would begin
  EXPECT_TRUE(found.missing[6]);
  EXPECT_EQ(std::count(found.missing.begin(), found.missing.end(), true), 1);
}

/// Law of binary-weighted arrays (Lin and Bult, "A 10-b, 500-MSample/s CMOS DAC in 0.6 mm2", IEEE JSSC 33(12), 1998,
/// section II; areas as in Pelgrom et al., IEEE JSSC 24(5), 1989: the variance of a sum of unit capacitors is that of
/// one times their number): at the transition where all lower capacitors go out and the next comes in, sigma of the DNL
/// is sigma_C sqrt(2^N - 1) LSB and that of the end-point INL half of it, for N bits of capacitors. Behind the sign bit
/// of a B-bit converter N = B - 1, and the transition is a quarter of the range from the middle.
TEST(SarAdc, LinearityFollowsTheSquareRootOfTheArea) {
  constexpr int bits = 8, trials = 1000;
  AdcConfig config = config_of(ConverterModel::sar, bits);
  config.split = false;
  config.errors.sigma_capacitor = 0.012;
  std::vector<double> dnl, inl;
  for (std::uint32_t trial = 0; trial < trials; ++trial) {
    const AdcLinearity found = measure_linearity(config, {-1, 1}, streams_of(trial), 32);
    // Code 2^(B-1) + 2^(B-2) - 1 is as wide as the step from magnitude 2^(B-2) - 1 to 2^(B-2).
    dnl.push_back(found.dnl[128 + 64 - 2]);
    inl.push_back(found.inl[128 + 64 - 1]);
  }
  const double law = config.errors.sigma_capacitor * std::sqrt(std::ldexp(1.0, bits - 1) - 1);
  EXPECT_TRUE(agrees(dnl, law));
  EXPECT_TRUE(agrees(inl, law / 2));
  // A sigma wrong by a fifth is not taken for it.
  EXPECT_FALSE(agrees(dnl, 1.2 * law));
  EXPECT_FALSE(agrees(dnl, law / 1.2));
  EXPECT_FALSE(agrees(inl, 0.6 * law));
  EXPECT_NEAR(mean_of(dnl), 0, 4.9 * law / std::sqrt(trials));
}

/// The unsigned array has all B bits in capacitors. A ramp's code reaches half way to both neighbours, so that at the
/// middle code its width is the mean of the large step and of a small one (capacitor 0: sigma_C).
TEST(RampAdc, UnsignedLinearityFollowsTheSquareRootOfTheArea) {
  constexpr int bits = 7, trials = 1000;
  AdcConfig config = config_of(ConverterModel::ramp, bits);
  config.symmetric = false;
  config.errors.sigma_capacitor = 0.012;
  std::vector<double> dnl, inl;
  for (std::uint32_t trial = 0; trial < trials; ++trial) {
    const AdcLinearity found = measure_linearity(config, {-1, 1}, streams_of(trial), 32);
    dnl.push_back(found.dnl[64 - 1]);
    inl.push_back(found.inl[65 - 1]);
  }
  // From level 63 to level 65: C_6 + C_0 less C_0 to C_5.
  const double law = config.errors.sigma_capacitor * std::sqrt(64.0 + 62) / 2;
  EXPECT_TRUE(agrees(dnl, law));
  EXPECT_FALSE(agrees(dnl, 1.2 * law));
  EXPECT_FALSE(agrees(dnl, law / 1.2));
  // Code 65 begins half way between levels 64 and 65, at C_6 + C_0 / 2; of the line from C_0 / 2 to C_0 / 2 + C_1 + ...
  // + C_6 the part f lies below it: (1 - f) C_6 less f (C_1 + ... + C_5).
  const double f = 64.0 / 126;
  const double inl_law = config.errors.sigma_capacitor * std::sqrt((1 - f) * (1 - f) * 64 + f * f * 62);
  EXPECT_TRUE(agrees(inl, inl_law));
  EXPECT_FALSE(agrees(inl, 1.2 * inl_law));
  EXPECT_FALSE(agrees(inl, inl_law / 1.2));
}

/// Behind the sign bit the array has B - 1 bits of capacitors below the largest, C_(B-1), which is the reference: the
/// large step is a quarter of the range from the middle, and the most negative level alone is exact.
TEST(RampAdc, SymmetricLinearityFollowsTheSquareRootOfTheArea) {
  constexpr int bits = 8, trials = 1000;
  AdcConfig config = config_of(ConverterModel::ramp, bits);
  config.errors.sigma_capacitor = 0.012;
  std::vector<double> dnl, inl;
  for (std::uint32_t trial = 0; trial < trials; ++trial) {
    const AdcLinearity found = measure_linearity(config, {-1, 1}, streams_of(trial), 32);
    dnl.push_back(found.dnl[128 + 64 - 1]);
    inl.push_back(found.inl[128 + 65 - 1]);
  }
  const double law = config.errors.sigma_capacitor * std::sqrt(64.0 + 62) / 2;  // as unsigned, of 63 to 65
  EXPECT_TRUE(agrees(dnl, law));
  EXPECT_FALSE(agrees(dnl, 1.2 * law));
  EXPECT_FALSE(agrees(dnl, law / 1.2));
  // Magnitudes are e(m) = (their capacitors) - m C_7 / 128. Code 193 begins at (e(64) + e(65)) / 2; the line from
  // -e(127) / 2, half way from the exact level, to (e(126) + e(127)) / 2 has its part f below it.
  const double f = 192.0 / 254, all = (1 - f) / 2 - f;  // of the capacitors of e(127)
  const double reference = (64.5 + 63.5 * (1 - f) - 126.5 * f) / 128;
  const double inl_law =
      config.errors.sigma_capacitor * std::sqrt(64 * std::pow(1 + all, 2) + 62 * std::pow(all, 2) +
                                                std::pow(0.5 + all + f / 2, 2) + 128 * std::pow(reference, 2));
  EXPECT_TRUE(agrees(inl, inl_law));
  EXPECT_FALSE(agrees(inl, 1.2 * inl_law));
  EXPECT_FALSE(agrees(inl, inl_law / 1.2));
}

/// Split array: its capacitors of the high side are 2^h times smaller for the same weight, so the step to bit B - 2 has
/// sigma_C 2^h sqrt(2^(B - 1 - h) - 1) LSB from them, and more from the bridge.
TEST(SarAdc, SplitArrayIsWorseByTheSquareRootOfTheUnitsItSaves) {
  constexpr int bits = 8, trials = 1000;
  AdcConfig config = config_of(ConverterModel::sar, bits);
  config.errors.sigma_capacitor = 0.004;
  std::vector<double> dnl, inl;
  for (std::uint32_t trial = 0; trial < trials; ++trial) {
    const AdcLinearity found = measure_linearity(config, {-1, 1}, streams_of(trial), 32);
    dnl.push_back(found.dnl[128 + 64 - 2]);
    inl.push_back(found.inl[128 + 64 - 1]);
  }
  // From the level's fraction, in LSB: (L / c + 1) (h_2 - h_1 - h_0) - low, with high capacitors h of 1, 2 and 4 units,
  // low ones of 15 together, the dummy in L = 16 and a bridge c = 16/15.
  const double high = 16 * 16 * 7, bridge = std::pow(15.0 * 15 / 16, 2) * 16 / 15;
  const double dummy = std::pow(15.0 / 16, 2), low = 15 * std::pow(1.0 / 16, 2);
  const double law = config.errors.sigma_capacitor * std::sqrt(high + bridge + dummy + low);
  EXPECT_TRUE(agrees(dnl, law));
  EXPECT_FALSE(agrees(dnl, 1.2 * law));
  EXPECT_FALSE(agrees(dnl, law / 1.2));
  // The end points are at -F(127) and F(127): F(64) - 64/127 F(127), times c in LSB
  // (L + c) (63/127 h_2 - 64/127 (h_1 + h_0)) - 64/127 c low, where L holds the dummy and the low capacitors.
  const double part = 64.0 / 127, left = 4 - 7 * part;  // of the high capacitors, beside L + c
  const double inl_high = std::pow(16 * (1 - part), 2) * 4 + std::pow(16 * part, 2) * 3;
  const double inl_low = std::pow((left - part * 16 / 15) * 15 / 16, 2) * 15 + std::pow(left * 15 / 16, 2);
  const double inl_bridge = std::pow((left - part * 15) * 15 / 16, 2) * 16 / 15;
  const double inl_law = config.errors.sigma_capacitor * std::sqrt(inl_high + inl_low + inl_bridge);
  EXPECT_TRUE(agrees(inl, inl_law));
  EXPECT_FALSE(agrees(inl, 1.2 * inl_law));
  EXPECT_FALSE(agrees(inl, inl_law / 1.2));
}

/// Output just above +Vref/4 less that just below, in LSB.
double jump(const AdcConfig& config, const AdcStreams& streams) {
  float values[] = {std::nextafter(0.25f, 0.0f), std::nextafter(0.25f, 1.0f)};
  make_circuit_adc(config, {-1, 1}, 1, streams)->convert(values, 2, 1, 1, {});
  return (values[1] - values[0]) * std::ldexp(1.0, config.bits - 1);
}

/// From the stage's equation (Spear et al., IEEE JXCDC 2023): gamma = 1 + d with sigma_d = sigma sqrt 2 moves the jump
/// of the first stage at Vref/4 by d Vref, 2^(B-2) LSB; the second stage sees +Vref/2 on one side and -Vref/2 on the
/// other and moves it by its own d Vref the other way, 2^(B-3) LSB; later ones see zero. A cyclic converter has one d.
TEST(PipelineAdc, JumpOfTheFirstStageFollowsTheCapacitorRatio) {
  constexpr int bits = 12, trials = 4000;
  for (const auto model : {ConverterModel::pipeline, ConverterModel::cyclic}) {
    AdcConfig config = config_of(model, bits);
    config.errors.sigma_c1 = config.errors.sigma_c2 = 0.004;
    std::vector<double> jumps;
    for (std::uint32_t trial = 0; trial < trials; ++trial) jumps.push_back(jump(config, streams_of(trial)));
    const double first = 0.004 * std::sqrt(2.0) * std::ldexp(1.0, bits - 2);
    const double law = model == ConverterModel::pipeline ? first * std::sqrt(1.25) : first / 2;
    // A cyclic converter's lower side is exact: there a code is a floor, half a code below.
    const double mean = mean_of(jumps);
    EXPECT_NEAR(mean, model == ConverterModel::pipeline ? 0 : -0.5, 4.9 * law / std::sqrt(trials));
    for (double& value : jumps) value -= mean;
    EXPECT_TRUE(agrees(jumps, law)) << static_cast<int>(model);
    EXPECT_FALSE(agrees(jumps, 1.15 * law));
    EXPECT_FALSE(agrees(jumps, law / 1.15));
  }
}

/// The half bit of redundancy in each stage takes comparator offsets of up to Vref/4; what is left is the last one's.
TEST(PipelineAdc, RedundancyTakesTheOffsetsOfComparators) {
  AdcConfig config = config_of(ConverterModel::pipeline, 8);
  config.errors.sigma_comparator = 0.03;
  for (std::uint32_t trial = 0; trial < 50; ++trial) {
    const AdcLinearity found = measure_linearity(config, {-1, 1}, streams_of(trial), 32);
    EXPECT_LT(largest_magnitude(found.inl), 0.6);
  }
}

/// A comparator's offset shifts all thresholds of a SAR converter: here the sign, sigma_comparator Vref.
TEST(SarAdc, ComparatorOffsetShiftsTheThresholds) {
  AdcConfig config = config_of(ConverterModel::sar, 6);
  config.errors.sigma_comparator = 0.01;
  config.group = 1;
  constexpr int cols = 4000;
  const auto adc = make_circuit_adc(config, {-2, 2}, cols, streams_of(0));
  std::vector<double> offsets(cols, 1);
  for (int step = -400; step <= 400; ++step) {  // from where on the upper half is reached
    const double value = step * 0.0005;
    std::vector<float> row(cols, static_cast<float>(value));
    adc->convert(row.data(), 1, cols, cols, {});
    for (std::size_t k = 0; k < cols; ++k) {
      if (row[k] > 0 && offsets[k] == 1) offsets[k] = value;
    }
  }
  EXPECT_TRUE(agrees(offsets, 0.02));
  EXPECT_FALSE(agrees(offsets, 0.023));
}

/// Mismatch of more than an LSB leaves codes that are never an output.
TEST(AdcLinearity, LargeMismatchMakesCodesMissing) {
  AdcConfig config = config_of(ConverterModel::sar, 8);
  config.split = false;
  config.errors.sigma_capacitor = 0.2;
  std::size_t missing = 0;
  for (std::uint32_t trial = 0; trial < 20; ++trial) {
    const AdcLinearity found = measure_linearity(config, {-1, 1}, streams_of(trial), 32);
    missing += static_cast<std::size_t>(std::count(found.missing.begin(), found.missing.end(), true));
  }
  EXPECT_GT(missing, 20u);
}

}  // namespace
}  // namespace crossgrid
