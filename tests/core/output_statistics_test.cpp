#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/fast_mvm.hpp"
#include "core/random_matrix.hpp"

/// Mean, variance and distribution of an MVM's output under each error model against closed forms. Every test has a
/// twin whose spread is 5 % too large, which must be rejected. All limits: two-sided, alpha = 1e-6.
namespace crossgrid {
namespace {

constexpr double normal_limit = 4.8916;      // |z| of a standard normal
constexpr double kolmogorov_limit = 2.6935;  // sqrt(ln(2 / 1e-6) / 2)
constexpr int inputs = 64;
constexpr double infinity = std::numeric_limits<double>::infinity();

/// One weight per input, the same for every output: outputs are draws of one random variable.
const Matrix pattern = random_matrix(1, inputs, 31);
const std::vector<double> x = random_inputs(inputs, 32);

Matrix repeated(int outputs) {
  return pattern.replicate(outputs, 1);
}

struct Moments {
  double mean, variance;
};

/// Half a normal at its mean, sigma = 1: what clipping at 0 leaves of a cell programmed to 0.
const Moments half_normal{1 / std::sqrt(2 * std::acos(-1.0)), 0.5 - 0.5 / std::acos(-1.0)};

/// The same of a uniform variable of full width 1: E = 1/8, E^2 = 1/24.
const Moments half_uniform{1.0 / 8, 1.0 / 24 - 1.0 / 64};

/// One cell of target g under one error; g is 0 or so far from 0 that it does not meet the clip.
Moments cell_moments(const ErrorConfig& error, double g) {
  const double m = error.magnitude;
  const bool zero = g == 0;
  switch (error.model) {
    case ErrorModel::none:
    case ErrorModel::device:
      break;
    case ErrorModel::normal_independent:
      return zero ? Moments{m * half_normal.mean, m * m * half_normal.variance} : Moments{g, m * m};
    case ErrorModel::normal_proportional:
      return {g, m * m * g * g};
    case ErrorModel::normal_inverse:
      return {g, zero ? 0 : m * m / (g * g)};
    case ErrorModel::uniform_independent:
      return zero ? Moments{m * half_uniform.mean, m * m * half_uniform.variance} : Moments{g, m * m / 12};
    case ErrorModel::uniform_proportional:
      return {g, m * m * g * g / 12};
    case ErrorModel::uniform_inverse:
      return {g, zero ? 0 : m * m / (g * g) / 12};
  }
  return {g, 0};
}

/// The output's, from physics.md section 1: weights mapped by hand.
Moments output_moments(const LayerHardware& hardware, const ErrorConfig& error) {
  const double limit = static_cast<double>(pattern.cwiseAbs().maxCoeff()), g_min = 1 / hardware.device.on_off_ratio;
  const bool offset = hardware.core.style == CoreStyle::offset;
  Moments sum{0, 0};
  for (int i = 0; i < inputs; ++i) {
    const double w = static_cast<double>(pattern(0, i)) / limit, input = x[static_cast<std::size_t>(i)];
    const double g_plus = g_min + (1 - g_min) * (offset ? (w + 1) / 2 : std::max(w, 0.0));
    const Moments plus = cell_moments(error, g_plus);
    const Moments minus = offset ? Moments{0, 0} : cell_moments(error, g_min + (1 - g_min) * std::max(-w, 0.0));
    const double reference = offset ? (1 + g_min) / 2 : 0;
    sum.mean += input * (plus.mean - minus.mean - reference);
    sum.variance += input * input * (plus.variance + minus.variance);
  }
  const double gain = (offset ? 2 : 1) * limit / (1 - g_min);
  return {gain * sum.mean, gain * gain * sum.variance};
}

LayerHardware hardware_of(CoreStyle style, double ratio) {
  LayerHardware hardware;
  hardware.core.style = style;
  hardware.device.on_off_ratio = ratio;
  return hardware;
}

struct Sample {
  std::vector<double> values;
  /// Standardised distance of the sample's mean from the expected one.
  double mean_z(Moments expected) const {
    double sum = 0;
    for (const double v : values) sum += v - expected.mean;
    return sum / std::sqrt(expected.variance * static_cast<double>(values.size()));
  }
  /// Of its variance about the expected mean; the fourth moment of these sums is the normal one to 1 %.
  double variance_z(Moments expected) const {
    double sum = 0;
    for (const double v : values) sum += (v - expected.mean) * (v - expected.mean) / expected.variance - 1;
    return sum / std::sqrt(2.0 * static_cast<double>(values.size()));
  }
};

/// Outputs of many chips.
Sample programmed_outputs(LayerHardware hardware, const ErrorConfig& error) {
  hardware.device.programming_error = error;
  const Matrix weights = repeated(2000);
  Sample sample;
  for (std::uint32_t trial = 0; trial < 20; ++trial) {
    for (const float y : fast_mvm(weights, hardware, x, {{0, 1}, {}, 3, trial, 0, 0, 0})) sample.values.push_back(y);
  }
  return sample;
}

/// Outputs of many MVMs of one chip.
Sample read_outputs(LayerHardware hardware, const ErrorConfig& error, NoiseSampling sampling,
                    std::uint32_t windows = 20) {
  hardware.device.read_noise = error;
  hardware.device.read_noise_sampling = sampling;
  const ProgrammedMatrix chip = program_matrix(repeated(2000), hardware, 3, 0, 0);
  Sample sample;
  for (std::uint32_t window = 0; window < windows; ++window) {
    for (const float y : fast_mvm(chip, hardware, x, {{0, 1}, {}, 3, 0, 0, 0, window})) sample.values.push_back(y);
  }
  return sample;
}

struct Law {
  CoreStyle style;
  double ratio;
  ErrorConfig error;
};

/// Balanced cells of infinite ratio: half of them are at 0 and meet the clip, and 1e-4 leaves the others 8 sigma or
/// more above it.
const Law laws[] = {
    {CoreStyle::balanced, 2, {ErrorModel::normal_independent, 0.03}},
    {CoreStyle::balanced, 2, {ErrorModel::normal_proportional, 0.05}},
    {CoreStyle::balanced, infinity, {ErrorModel::normal_independent, 1e-4}},
    {CoreStyle::balanced, infinity, {ErrorModel::normal_proportional, 0.05}},
    {CoreStyle::offset, 2, {ErrorModel::normal_independent, 0.03}},
    {CoreStyle::offset, 2, {ErrorModel::normal_proportional, 0.05}},
    {CoreStyle::balanced, 2, {ErrorModel::normal_inverse, 0.02}},
    {CoreStyle::offset, 2, {ErrorModel::normal_inverse, 0.02}},
    {CoreStyle::balanced, 2, {ErrorModel::uniform_independent, 0.3}},
    {CoreStyle::balanced, infinity, {ErrorModel::uniform_independent, 1e-3}},
    {CoreStyle::offset, 2, {ErrorModel::uniform_proportional, 0.5}},
    {CoreStyle::balanced, 2, {ErrorModel::uniform_inverse, 0.2}},
};

template <class Draw>
void expect_moments(const Law& law, const Draw& draw) {
  const LayerHardware hardware = hardware_of(law.style, law.ratio);
  const Moments expected = output_moments(hardware, law.error);
  const Sample sample = draw(hardware, law.error);
  EXPECT_LT(std::abs(sample.mean_z(expected)), normal_limit);
  EXPECT_LT(std::abs(sample.variance_z(expected)), normal_limit);
  ErrorConfig faulty = law.error;
  faulty.magnitude *= 1.05;
  EXPECT_GT(draw(hardware, faulty).variance_z(expected), normal_limit) << "a spread 5 % too large goes unseen";
}

TEST(OutputStatistics, ProgrammingErrorHasTheAnalyticMoments) {
  for (const Law& law : laws) expect_moments(law, programmed_outputs);
}

/// Two fifths of the cells are stuck: every cell is one of three values.
TEST(OutputStatistics, StuckCellsHaveTheAnalyticMoments) {
  const double rate = 0.2, g_min = 0.5, limit = static_cast<double>(pattern.cwiseAbs().maxCoeff());
  Moments expected{0, 0};
  for (int i = 0; i < inputs; ++i) {
    const double input = x[static_cast<std::size_t>(i)], w = static_cast<double>(pattern(0, i)) / limit;
    for (const double side : {1.0, -1.0}) {
      const double g = g_min + (1 - g_min) * std::max(side * w, 0.0);
      const double mean = (1 - 2 * rate) * g + rate * (1 + g_min);
      const double square = (1 - 2 * rate) * g * g + rate * (1 + g_min * g_min);
      expected.mean += side * input * mean;
      expected.variance += input * input * (square - mean * mean);
    }
  }
  const double gain = limit / (1 - g_min);
  expected = {gain * expected.mean, gain * gain * expected.variance};
  LayerHardware hardware = hardware_of(CoreStyle::balanced, 1 / g_min);
  hardware.device.faults = {rate, rate};
  const Sample sample = programmed_outputs(hardware, {});
  EXPECT_LT(std::abs(sample.mean_z(expected)), normal_limit);
  EXPECT_LT(std::abs(sample.variance_z(expected)), normal_limit);
  hardware.device.faults = {1.1 * rate, 1.1 * rate};
  EXPECT_GT(programmed_outputs(hardware, {}).variance_z(expected), normal_limit) << "rates 10 % too large go unseen";
}

TEST(OutputStatistics, LumpedReadNoiseHasTheAnalyticMoments) {
  for (const Law& law : laws) {
    expect_moments(law, [](const LayerHardware& hardware, const ErrorConfig& error) {
      return read_outputs(hardware, error, NoiseSampling::lumped);
    });
  }
}

TEST(OutputStatistics, CellReadNoiseHasTheAnalyticMoments) {
  for (const Law& law : laws) {
    expect_moments(law, [](const LayerHardware& hardware, const ErrorConfig& error) {
      return read_outputs(hardware, error, NoiseSampling::per_cell);
    });
  }
}

/// Two-sample Kolmogorov-Smirnov distance, scaled.
double kolmogorov(std::vector<double> a, std::vector<double> b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  const auto n = static_cast<double>(a.size()), m = static_cast<double>(b.size());
  double distance = 0;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    a[i] <= b[j] ? ++i : ++j;
    distance = std::max(distance, std::abs(static_cast<double>(i) / n - static_cast<double>(j) / m));
  }
  return distance * std::sqrt(n * m / (n + m));
}

/// With and without cells that meet the clip; 64 rows, the fewest for which lumped noise is the automatic choice.
TEST(OutputStatistics, LumpedAndCellReadNoiseAgreeInDistribution) {
  for (const Law& law : {laws[0], laws[1], laws[2], laws[5], laws[7], laws[9], laws[10]}) {
    const LayerHardware hardware = hardware_of(law.style, law.ratio);
    const Sample cells = read_outputs(hardware, law.error, NoiseSampling::per_cell, 160);
    const Sample lumped = read_outputs(hardware, law.error, NoiseSampling::lumped, 160);
    EXPECT_LT(kolmogorov(lumped.values, cells.values), kolmogorov_limit);
    ErrorConfig faulty = law.error;
    faulty.magnitude *= 1.05;
    const Sample wrong = read_outputs(hardware, faulty, NoiseSampling::lumped, 160);
    EXPECT_GT(kolmogorov(wrong.values, cells.values), kolmogorov_limit) << "a spread 5 % too large goes unseen";
  }
}

}  // namespace
}  // namespace crossgrid
