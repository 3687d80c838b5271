#include "crossgrid/network/prepared_matrix.hpp"

#include <gtest/gtest.h>

#include <random>

#include "crossgrid/network/tensor_operations.hpp"

namespace crossgrid {
namespace {

/// Currents of every row block, one after the other.
std::vector<float> currents(MatrixExecution execution, const ConvolutionShape& geometry, LayerHardware hardware) {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> uniform(-1, 1);
  Matrix weights(geometry.out_channels, geometry.rows());
  for (Eigen::Index k = 0; k < weights.size(); ++k) weights.data()[k] = uniform(random);
  std::vector<float> inputs(static_cast<std::size_t>(geometry.images) * geometry.height * geometry.width *
                            geometry.in_channels);
  for (float& x : inputs) x = std::max(uniform(random), 0.0f);
  Lane lane;
  ProgrammedMatrix programmed = program_matrix(weights, hardware, 1, 2, 3);
  const MatrixPlan plan = plan_matrix_as(execution, geometry, hardware, programmed.noise);
  const auto matrix = prepare_analog(geometry, std::move(programmed), plan, lane);
  MicroBatch batch{40, geometry.images, 0, geometry.images};
  std::vector<float> squares;
  for (const float x : inputs) squares.push_back(x * x);
  std::vector<float> all;
  for (int block = 0; block < static_cast<int>(matrix->blocks.size()); ++block) {
    std::vector<float> found(static_cast<std::size_t>(geometry.images) * matrix->currents_per_image());
    if (execution == MatrixExecution::direct) {
      direct_currents(*matrix, matrix->bands, block, 0, {inputs.data(), squares.data(), 0}, batch, lane, found.data());
    } else {
      std::vector<float> rows(static_cast<std::size_t>(matrix->windows()) * matrix->rows()), squared(rows.size());
      for (int image = 0; image < geometry.images; ++image) {
        const auto place = static_cast<std::size_t>(image);
        gather_windows(inputs.data() + place * matrix->inputs_per_image(), rows.data(), geometry, matrix->rows());
        for (std::size_t k = 0; k < rows.size(); ++k) squared[k] = rows[k] * rows[k];
        gathered_currents(*matrix, block, 0, {rows.data(), squared.data(), 0}, batch.absolute(image), lane,
                          found.data() + place * matrix->currents_per_image());
      }
    }
    all.insert(all.end(), found.begin(), found.end());
  }
  return all;
}

TEST(PreparedMatrix, GivesTheSameCurrentsByEveryPlan) {
  const ConvolutionShape geometry{4, 7, 9, 8, 13, 1, square_window(3, 2, 1)};
  for (const int rows_max : {1000, 18, 20, 5}) {
    for (const bool noisy : {false, true}) {
      LayerHardware hardware;
      hardware.adc.model = ConverterModel::quantizer;
      hardware.array.rows_max = rows_max;
      hardware.array.cols_max = 6;
      if (noisy) hardware.device.read_noise = {ErrorModel::normal_proportional, 0.1};
      hardware.device.read_noise_sampling = NoiseSampling::lumped;
      const auto direct = currents(MatrixExecution::direct, geometry, hardware);
      const auto gathered = currents(MatrixExecution::gathered, geometry, hardware);
      ASSERT_EQ(direct.size(), gathered.size());
      double worst = 0;
      for (std::size_t k = 0; k < direct.size(); ++k) {
        worst = std::max<double>(worst, std::abs(direct[k] - gathered[k]));
      }
      EXPECT_LT(worst, 1e-5) << rows_max;
    }
  }
}

TEST(PreparedMatrix, DrawsNoiseCellByCellAroundTheSameCurrents) {
  const ConvolutionShape geometry{2, 5, 6, 6, 7, 1, square_window(3, 1, 1)};
  LayerHardware hardware;
  hardware.adc.model = ConverterModel::quantizer;
  hardware.array.rows_max = 20;
  const auto exact = currents(MatrixExecution::direct, geometry, hardware);
  hardware.device.read_noise = {ErrorModel::normal_proportional, 0.01};
  hardware.device.read_noise_sampling = NoiseSampling::per_cell;
  const auto drawn = currents(MatrixExecution::cell_by_cell, geometry, hardware);
  double difference = 0, size = 0;
  for (std::size_t k = 0; k < exact.size(); ++k) {
    difference += (drawn[k] - exact[k]) * (drawn[k] - exact[k]);
    size += exact[k] * exact[k];
  }
  // One cell's noise is 1 % of its current; a sum of n such is near 1 % / sqrt(n), more where cells cancel.
  EXPECT_GT(difference, 1e-6 * size);
  EXPECT_LT(difference, 1e-3 * size);
}

TEST(MatrixPlan, MergesRowBlocksOnlyWhereNothingIsBetweenThem) {
  const ConvolutionShape geometry{1, 8, 8, 8, 16, 1, square_window(3, 1, 1)};
  LayerHardware hardware;
  hardware.array.rows_max = 24;
  EXPECT_TRUE(plan_matrix(geometry, hardware, NoisePath::none).merged);
  EXPECT_EQ(plan_matrix(geometry, hardware, NoisePath::none).blocks.size(), 1u);
  EXPECT_EQ(plan_matrix(geometry, hardware, NoisePath::lumped).blocks.size(), 3u);
  hardware.adc.model = ConverterModel::quantizer;
  const MatrixPlan cut = plan_matrix(geometry, hardware, NoisePath::none);
  ASSERT_EQ(cut.blocks.size(), 3u);
  // Rows 24 to 47 lie in channels 2 to 5.
  EXPECT_EQ(cut.blocks[1].channel_first, 2);
  EXPECT_EQ(cut.blocks[1].channels, 4);
  EXPECT_EQ(cut.execution, MatrixExecution::direct);
  hardware.array.rows_max = 2;
  EXPECT_EQ(plan_matrix(geometry, hardware, NoisePath::none).execution, MatrixExecution::gathered);
}

}  // namespace
}  // namespace crossgrid
