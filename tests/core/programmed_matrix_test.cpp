#include "crossgrid/core/programmed_matrix.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/fast_mvm.hpp"
#include "core/random_matrix.hpp"
#include "crossgrid/device/clipped_moments.hpp"

namespace crossgrid {
namespace {

std::vector<double> product(const Matrix& weights, const std::vector<double>& x) {
  const Eigen::VectorXd y =
      weights.cast<double>() * Eigen::Map<const Eigen::VectorXd>(x.data(), static_cast<Eigen::Index>(x.size()));
  return {y.begin(), y.end()};
}

void expect_near(const std::vector<float>& found, const std::vector<double>& expected, double relative) {
  double largest = 0;
  for (const double y : expected) largest = std::max(largest, std::abs(y));
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t k = 0; k < found.size(); ++k)
    EXPECT_NEAR(found[k], expected[k], relative * largest) << "output " << k;
}

LayerHardware noisy_hardware(CoreStyle style) {
  LayerHardware hardware;
  hardware.core.style = style;
  hardware.device.programming_error = {ErrorModel::normal_independent, 0.05};
  return hardware;
}

constexpr ReferenceMvm unit_inputs{{0, 1}, {}, 5, 1, 2, 3, 4};

TEST(ProgrammedMatrix, IdealHardwareGivesThePlainProduct) {
  const Matrix weights = random_matrix(33, 150, 1);
  const std::vector<double> x = random_inputs(150, 2);
  for (const CoreStyle style : {CoreStyle::balanced, CoreStyle::offset}) {
    for (const double ratio : {10.0, std::numeric_limits<double>::infinity()}) {
      LayerHardware hardware;
      hardware.core.style = style;
      hardware.device.on_off_ratio = ratio;
      expect_near(fast_mvm(weights, hardware, x, unit_inputs), product(weights, x), 1e-6);
    }
  }
}

/// Ideal converters: the sum over arrays is the whole, also of a chip with programming errors, since a cell's draw
/// belongs to its place in the matrix.
TEST(ProgrammedMatrix, SplitMatrixEqualsTheWholeOne) {
  const Matrix weights = random_matrix(33, 150, 1);
  const std::vector<double> x = random_inputs(150, 2);
  for (const CoreStyle style : {CoreStyle::balanced, CoreStyle::offset}) {
    for (const double error : {0.0, 0.05}) {
      LayerHardware hardware = noisy_hardware(style);
      hardware.device.programming_error.magnitude = error;
      const std::vector<float> whole = fast_mvm(weights, hardware, x, unit_inputs);
      hardware.array = {40, 8, {PartitionRule::Kind::fill, {}}, {}, {}, {}, {}};
      const ProgrammedMatrix split = program_matrix(weights, hardware, 5, 1, 2);
      EXPECT_EQ(split.groups.size(), 4u);
      EXPECT_EQ(split.col_parts.size(), 5u);
      expect_near(fast_mvm(split, hardware, x, unit_inputs), {whole.begin(), whole.end()}, 1e-6);
    }
  }
}

TEST(ProgrammedMatrix, ChipIsLinearInItsInputs) {
  const Matrix weights = random_matrix(20, 90, 3);
  const LayerHardware hardware = noisy_hardware(CoreStyle::offset);
  const ProgrammedMatrix chip = program_matrix(weights, hardware, 5, 1, 2);
  const std::vector<double> a = random_inputs(90, 4), b = random_inputs(90, 5);
  std::vector<double> both, sum;
  for (std::size_t k = 0; k < a.size(); ++k) both.push_back(0.25 * a[k] - 0.5 * b[k]);
  const auto y_a = fast_mvm(chip, hardware, a, unit_inputs), y_b = fast_mvm(chip, hardware, b, unit_inputs);
  for (std::size_t k = 0; k < y_a.size(); ++k)
    sum.push_back(0.25 * static_cast<double>(y_a[k]) - 0.5 * static_cast<double>(y_b[k]));
  expect_near(fast_mvm(chip, hardware, both, unit_inputs), sum, 2e-6);
}

TEST(ProgrammedMatrix, ChipsDependOnSeedTrialAndLayerOnly) {
  const Matrix weights = random_matrix(20, 30, 3);
  const LayerHardware hardware = noisy_hardware(CoreStyle::balanced);
  const auto cells = [&](std::uint64_t seed, std::uint32_t trial, std::uint32_t layer) {
    return program_matrix(weights, hardware, seed, trial, layer).arrays[0].conductance;
  };
  const Matrix chip = cells(1, 2, 3);
  EXPECT_EQ(chip, cells(1, 2, 3));
  EXPECT_GT((chip - cells(2, 2, 3)).norm(), 1);
  EXPECT_GT((chip - cells(1, 3, 3)).norm(), 1);
  EXPECT_GT((chip - cells(1, 2, 4)).norm(), 1);
}

TEST(ProgrammedMatrix, NominalChipHasNoErrors) {
  const Matrix weights = random_matrix(20, 30, 3);
  LayerHardware hardware = noisy_hardware(CoreStyle::balanced);
  hardware.device.read_noise = {ErrorModel::normal_independent, 0.05};
  hardware.device.cell_bits = 3;
  const Matrix nominal = nominal_matrix(weights, hardware).arrays[0].conductance;
  hardware.device.programming_error = hardware.device.read_noise = {};
  EXPECT_EQ(nominal, program_matrix(weights, hardware, 1, 2, 3).arrays[0].conductance);
}

TEST(ProgrammedMatrix, ClippedCellsStayProgrammable) {
  const Matrix weights = random_matrix(50, 60, 3);
  LayerHardware hardware = noisy_hardware(CoreStyle::offset);
  hardware.adc.model = ConverterModel::quantizer;  // keeps the offset out of the conductances
  hardware.device.on_off_ratio = 5;
  hardware.device.programming_error.magnitude = 0.4;
  const Matrix free = program_matrix(weights, hardware, 1, 2, 3).arrays[0].conductance;
  EXPECT_EQ(free.minCoeff(), 0.0f);
  EXPECT_GT(free.maxCoeff(), 1.0f);
  hardware.device.clip = true;
  const Matrix clipped = program_matrix(weights, hardware, 1, 2, 3).arrays[0].conductance;
  EXPECT_EQ(clipped.minCoeff(), 0.2f);
  EXPECT_EQ(clipped.maxCoeff(), 1.0f);
}

/// physics.md section 4: lumped where nothing clips or at least 64 rows are driven.
TEST(ProgrammedMatrix, ChoosesHowReadNoiseIsDrawn) {
  const auto path = [](int rows, double ratio, NoiseSampling sampling) {
    LayerHardware hardware;
    hardware.device.on_off_ratio = ratio;
    hardware.device.read_noise = {ErrorModel::normal_independent, 0.02};
    hardware.device.read_noise_sampling = sampling;
    return program_matrix(random_matrix(5, rows, 3), hardware, 1, 2, 3).arrays[0].noise;
  };
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(path(63, infinity, NoiseSampling::automatic), NoisePath::per_cell);
  EXPECT_EQ(path(64, infinity, NoiseSampling::automatic), NoisePath::lumped);
  EXPECT_EQ(path(63, 2, NoiseSampling::automatic), NoisePath::lumped) << "25 sigma from zero";
  EXPECT_EQ(path(63, 10, NoiseSampling::automatic), NoisePath::per_cell) << "5 sigma from zero";
  EXPECT_EQ(path(63, infinity, NoiseSampling::lumped), NoisePath::lumped);
  EXPECT_EQ(path(64, 2, NoiseSampling::per_cell), NoisePath::per_cell);
}

/// E|e|^3 / sigma^3 of mean + a draw of the law with sigma 1, limited to g >= 0: by the midpoint rule.
double third_moment_ratio(DrawLaw law, double mean) {
  const ClippedMoments moments = clipped_moments(law, mean, 1, 0, std::numeric_limits<double>::infinity());
  const double half = law == DrawLaw::normal ? 9 : std::sqrt(3.0), step = 2 * half / 100000;
  double sum = 0;
  for (int k = 0; k < 100000; ++k) {
    const double z = -half + (k + 0.5) * step;
    const double density = law == DrawLaw::normal ? std::exp(-z * z / 2) / std::sqrt(2 * M_PI) : 1 / (2 * half);
    sum += std::pow(std::abs(std::max(mean + z, 0.0) - moments.mean), 3) * density * step;
  }
  return sum / std::pow(moments.variance, 1.5);
}

TEST(LumpedNoise, HasItsBoundFromTheWorstCell) {
  double worst = 0;
  for (const DrawLaw law : {DrawLaw::normal, DrawLaw::uniform}) {
    for (const double mean : {0.0, 0.03, 0.3, 1.0, 3.0, 10.0}) worst = std::max(worst, third_moment_ratio(law, mean));
  }
  EXPECT_NEAR(worst, 1.985, 5e-4);
  EXPECT_NEAR(third_moment_ratio(DrawLaw::normal, 10), 1.596, 5e-4);
  for (const int rows : {64, 1152}) EXPECT_NEAR(lumped_noise_bound(rows), 0.56 * worst / std::sqrt(rows), 1e-4);
}

}  // namespace
}  // namespace crossgrid
