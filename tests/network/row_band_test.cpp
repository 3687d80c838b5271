#include "crossgrid/network/row_band.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "crossgrid/network/prepared_matrix.hpp"
#include "crossgrid/network/tensor_operations.hpp"

namespace crossgrid {
namespace {

ConvolutionShape large(int kernel, int stride, int before, int after, int dilation, int groups, int outputs) {
  ConvolutionShape shape{1, 24, 61, 83, outputs, groups, square_window(kernel, stride, before)};
  for (WindowAxis* axis : {&shape.window.vertical, &shape.window.horizontal}) {
    axis->after = after, axis->dilation = dilation;
  }
  return shape;
}

const std::vector<ConvolutionShape>& shapes() {
  static const std::vector<ConvolutionShape> all{
      large(1, 1, 0, 0, 1, 1, 48),  large(3, 1, 1, 1, 1, 1, 40),  large(3, 2, 1, 1, 1, 1, 130),
      large(3, 1, 1, 1, 1, 24, 24), large(5, 1, 2, 2, 1, 24, 24), large(3, 1, 0, 2, 2, 1, 33),
      large(7, 2, 3, 3, 1, 1, 96),  large(1, 2, 0, 0, 1, 1, 128), large(3, 1, 1, 1, 1, 4, 40)};
  return all;
}

TEST(RowBand, OfWindowsFollowEachOtherAndSeeTheRowsThatTheyTouch) {
  for (const ConvolutionShape& shape : shapes()) {
    const std::vector<RowBand> bands = row_bands(shape, shape.out_channels);
    ASSERT_GT(bands.size(), 1U);
    const WindowAxis& axis = shape.window.vertical;
    int next = 0;
    for (const RowBand& band : bands) {
      EXPECT_EQ(band.first, next);
      next += band.rows;
      const ConvolutionShape own = band_geometry(shape, band);
      EXPECT_EQ(own.out_height(), band.rows);
      EXPECT_EQ(own.out_width(), shape.out_width());
      EXPECT_EQ(own.window.horizontal, shape.window.horizontal);
      EXPECT_GE(band.input_first, 0);
      EXPECT_LE(band.input_first + own.height, shape.height);
      EXPECT_EQ(band.input_rows, own.height);
      for (int row = 0; row < band.rows; ++row) {
        EXPECT_EQ(own.window.vertical.first(row) + band.input_first, axis.first(band.first + row));
      }
      // Padding stands for nothing but rows outside of the image.
      EXPECT_TRUE(own.window.vertical.before == 0 || band.input_first == 0);
      EXPECT_TRUE(own.window.vertical.after == 0 || band.input_first + own.height == shape.height);
    }
    EXPECT_EQ(next, shape.out_height());
  }
}

TEST(RowBand, IsAllOfSmallImagesAndOfSeveralTogether) {
  const ConvolutionShape small{1, 16, 32, 32, 16, 1, square_window(3, 1, 1)};
  ConvolutionShape several = shapes().front();
  several.images = 2;
  for (const ConvolutionShape& shape : {small, several}) {
    const std::vector<RowBand> bands = row_bands(shape, shape.out_channels);
    ASSERT_EQ(bands.size(), 1U);
    EXPECT_EQ(bands.front().rows, shape.out_height());
    EXPECT_EQ(band_geometry(shape, bands.front()), shape);
  }
}

enum class Cut { bands, one_row_off, whole };

/// Currents of a layer on arrays, by bands of which each is computed by itself, or as a whole: beside a second image
/// there are none. one_row_off: a twin whose last band sees the rows above its own.
std::vector<float> currents(ConvolutionShape geometry, const LayerHardware& hardware, Cut cut) {
  const bool bands = cut != Cut::whole;
  std::mt19937 random(3);
  std::uniform_real_distribution<float> uniform(-1, 1);
  Matrix weights(geometry.out_channels, geometry.rows());
  for (Eigen::Index k = 0; k < weights.size(); ++k) weights.data()[k] = uniform(random);
  geometry.images = bands ? 1 : 2;
  std::vector<float> inputs(static_cast<std::size_t>(geometry.in_channels) * geometry.height * geometry.width);
  for (float& x : inputs) x = std::max(uniform(random), 0.0f);
  if (!bands) inputs.insert(inputs.end(), inputs.begin(), inputs.end());
  Lane lane;
  ProgrammedMatrix programmed = program_matrix(weights, hardware, 1, 2, 3);
  const MatrixPlan plan = plan_matrix_as(MatrixExecution::direct, geometry, hardware, programmed.noise);
  const auto matrix = prepare_analog(geometry, std::move(programmed), plan, lane);
  EXPECT_EQ(matrix->bands.size() > 1, bands);
  const MicroBatch batch{40, geometry.images, 0, geometry.images};
  std::vector<float> squares;
  for (const float x : inputs) squares.push_back(x * x);
  std::vector<float> all;
  for (int block = 0; block < static_cast<int>(matrix->blocks.size()); ++block) {
    std::vector<float> found(static_cast<std::size_t>(geometry.images) * matrix->currents_per_image());
    float* to = found.data();
    for (RowBand band : matrix->bands) {
      if (cut == Cut::one_row_off && band.first + band.rows == geometry.out_height()) --band.input_first;
      direct_currents(*matrix, {&band, 1}, block, 0, {inputs.data(), squares.data(), 0}, batch, lane, to);
      to += static_cast<std::size_t>(geometry.images) * matrix->windows({&band, 1}) * matrix->columns;
    }
    all.insert(all.end(), found.begin(), found.begin() + static_cast<std::ptrdiff_t>(matrix->currents_per_image()));
  }
  return all;
}

float worst_difference(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  float worst = 0;
  for (std::size_t k = 0; k < std::min(a.size(), b.size()); ++k) worst = std::max(worst, std::abs(a[k] - b[k]));
  return worst;
}

TEST(RowBand, GivesTheCurrentsOfTheWholeImage) {
  for (const ConvolutionShape& shape : shapes()) {
    for (const int rows_max : {4096, 100}) {
      if (shape.groups > 1 && rows_max == 100) continue;
      for (const bool noisy : {false, true}) {
        LayerHardware hardware;
        hardware.grouped = GroupedMatrix::per_group;
        hardware.adc.model = ConverterModel::quantizer;
        hardware.array.rows_max = rows_max;
        if (shape.groups > 1) hardware.array.cols_max = shape.out_channels / shape.groups;
        if (noisy) hardware.device.read_noise = {ErrorModel::normal_proportional, 0.1};
        hardware.device.read_noise_sampling = NoiseSampling::lumped;
        const auto whole = currents(shape, hardware, Cut::whole);
        // To rounding: oneDNN may sum in another order where there are fewer rows.
        EXPECT_LT(worst_difference(currents(shape, hardware, Cut::bands), whole), 1e-5F) << shape.window.size();
        EXPECT_GT(worst_difference(currents(shape, hardware, Cut::one_row_off), whole), 0.1F) << shape.window.size();
      }
    }
  }
}

}  // namespace
}  // namespace crossgrid
