#include "crossgrid/network/analog_matrix.hpp"

#include <gtest/gtest.h>

#include "crossgrid/base/error.hpp"
#include "crossgrid/core/complex_blocks.hpp"
#include "crossgrid/core/reference_mvm.hpp"

namespace crossgrid {
namespace {

/// Entries in [-1, 1], the same every time.
Matrix random(int rows, int cols, unsigned seed) {
  std::srand(seed);
  return Matrix::Random(rows, cols);
}

LayerHardware noisy() {
  LayerHardware hardware;
  hardware.core.weight_bits = 8, hardware.core.slices = 2;
  hardware.device.on_off_ratio = 20;
  hardware.device.programming_error = {ErrorModel::normal_independent, 0.05};
  hardware.array.rows_max = 12, hardware.array.cols_max = 7;
  hardware.dac.model = ConverterModel::sign_magnitude;
  hardware.dac.sign = DacSign::is_signed;
  hardware.adc.model = ConverterModel::quantizer;
  hardware.adc.bits = 14;
  hardware.adc.range = RangeRule::maximum;
  return hardware;
}

const LayerRanges unit_ranges{{-1, 1}, {}, {}};
const LayerStreams chip{3, 1, 2};

double relative(const Matrix& found, const Matrix& expected) {
  return (found - expected).norm() / expected.norm();
}

TEST(AnalogMatrix, VectorsDoNotDependOnTheirNumber) {
  const Matrix weights = random(20, 33, 1), inputs = random(37, 33, 2);
  AnalogMatrix matrix(weights, noisy(), unit_ranges, chip);
  const Matrix all = matrix.multiply(inputs, 5);
  EXPECT_EQ(matrix.multiply(inputs.middleRows(20, 9), 25), all.middleRows(20, 9));
  EXPECT_LT(relative(all, inputs * weights.transpose()), 0.3);
}

/// The same cells, seen from the other side: y = W x and y' = W^T x' have the same errors.
TEST(AnalogMatrix, TransposedProductsUseTheSameCells) {
  const Matrix weights = random(20, 33, 1);
  LayerHardware hardware = noisy();
  hardware.adc.model = ConverterModel::ideal;
  hardware.dac = {};
  for (const CoreStyle style : {CoreStyle::balanced, CoreStyle::offset}) {
    hardware.core.style = style;
    AnalogMatrix matrix(weights, hardware, unit_ranges, chip);
    const Matrix held = matrix.multiply(Matrix::Identity(33, 33)).transpose();
    EXPECT_GT(relative(held, weights), 0.02);
    const Matrix inputs = random(5, 20, 3);
    const Matrix found = matrix.multiply_transposed(inputs, {}, {}, unit_ranges);
    EXPECT_LT(relative(found, inputs * held), 1e-5);
    EXPECT_GT(relative(found, inputs * weights), 0.02);
    // With converters of their own.
    AdcConfig coarse;
    coarse.model = ConverterModel::quantizer;
    coarse.bits = 6, coarse.range = RangeRule::maximum;
    const double lost = relative(matrix.multiply_transposed(inputs, {}, coarse, unit_ranges), inputs * held);
    EXPECT_GT(lost, 1e-3);
  }
  hardware.core.unit_column = true;
  AnalogMatrix columns(weights, hardware, unit_ranges, chip);
  EXPECT_THROW(columns.multiply_transposed(random(1, 20, 3), {}, {}, unit_ranges), Error);
}

/// Rows and columns change places, and so do the limits and rules by which they are split.
TEST(AnalogMatrix, TransposedProductsHaveTheirOwnConvertersAndLimits) {
  const Matrix weights = random(20, 33, 1), inputs = random(7, 20, 3) * 2, transpose = weights.transpose();
  LayerHardware hardware = noisy();
  hardware.device.programming_error = {};  // draws are counted by a cell's place, which differs in the transpose
  hardware.array.rows_max = 12, hardware.array.rows_partition.kind = PartitionRule::Kind::fill;
  hardware.array.cols_max = 8;
  hardware.adc.bits = 8, hardware.adc.range = RangeRule::fixed, hardware.adc.fixed_ranges = {{-9, 9}};
  LayerHardware seen = hardware;
  seen.array.rows_max = 8, seen.array.rows_partition.kind = PartitionRule::Kind::equal;
  seen.array.cols_max = 12, seen.array.cols_partition.kind = PartitionRule::Kind::fill;
  seen.dac = {ConverterModel::sign_magnitude, 6, DacSign::is_signed, RangeRule::calibrated, {}, {}};
  seen.adc = {ConverterModel::sign_magnitude, 7, RangeRule::calibrated, {}};
  const LayerRanges own{{-2, 2}, {{-3.07, 3.07}}, {}};
  for (const auto& [style, slices] :
       {std::pair{CoreStyle::balanced, 1}, {CoreStyle::balanced, 2}, {CoreStyle::offset, 1}}) {
    hardware.core.style = seen.core.style = style;
    hardware.core.slices = seen.core.slices = slices;
    AnalogMatrix matrix(weights, hardware, unit_ranges, chip);
    const Matrix found = matrix.multiply_transposed(inputs, seen.dac, seen.adc, own);
    const ReferenceMatrix reference(transpose, seen, chip);
    ReferenceMvm mvm;
    mvm.input_range = own.dac, mvm.adc_ranges = own.adc;
    int different = 0;  // where a value lies on a threshold
    for (Eigen::Index v = 0; v < inputs.rows(); ++v) {
      const std::vector<double> x(inputs.row(v).begin(), inputs.row(v).end());
      const std::vector<double> y = reference.multiply(x, mvm).outputs;
      for (Eigen::Index j = 0; j < 33; ++j) {
        different += std::abs(static_cast<double>(found(v, j)) - y[static_cast<std::size_t>(j)]) > 1e-4;
      }
    }
    EXPECT_LE(different, 1) << slices << " slices";
  }
}

/// Bit lines are driven and word lines read; each line keeps its own resistance, gated or not.
TEST(AnalogMatrix, TransposedProductsKeepTheWiresOfTheirLines) {
  const Matrix weights = random(9, 21, 1), inputs = random(5, 9, 3), transpose = weights.transpose();
  LayerHardware hardware;
  hardware.device.on_off_ratio = 20, hardware.device.r_min = 1e3;
  hardware.array.wires = {2, 9, 30, 5};
  DacConfig dac;
  dac.model = ConverterModel::sign_magnitude, dac.bits = 4, dac.sign = DacSign::is_signed, dac.slice_bits = 1;
  for (const WireSource source : {WireSource::input, WireSource::separate}) {
    for (const bool interleaved : {false, true}) {
      hardware.array.wires.source = source, hardware.core.interleaved = interleaved;
      hardware.dac = dac;
      AnalogMatrix matrix(weights, hardware, unit_ranges, chip);
      const Matrix found = matrix.multiply_transposed(inputs, dac, {}, unit_ranges);
      LayerHardware seen = hardware;
      std::swap(seen.array.wires.r_row, seen.array.wires.r_col);
      std::swap(seen.array.wires.r_row_end, seen.array.wires.r_col_end);
      ReferenceMvm mvm;
      mvm.input_range = {-1, 1};
      const auto by_reference = [&](const LayerHardware& of) {
        Matrix outputs(inputs.rows(), 21);
        for (Eigen::Index v = 0; v < inputs.rows(); ++v) {
          const std::vector<double> x(inputs.row(v).begin(), inputs.row(v).end());
          const std::vector<double> y = reference_mvm(transpose, of, x, mvm);
          for (Eigen::Index j = 0; j < 21; ++j) outputs(v, j) = static_cast<float>(y[static_cast<std::size_t>(j)]);
        }
        return outputs;
      };
      EXPECT_LT(relative(found, by_reference(seen)), 1e-5);
      EXPECT_GT(relative(found, by_reference(hardware)), 1e-2) << "r_row is r_col";
    }
  }
}

TEST(AnalogMatrix, ReprogrammingRedrawsTheBlockAndNothingElse) {
  const Matrix weights = random(20, 33, 1), inputs = Matrix::Identity(33, 33);
  LayerHardware hardware = noisy();
  hardware.adc.model = ConverterModel::ideal;
  hardware.dac = {};
  AnalogMatrix matrix(weights, hardware, unit_ranges, chip);
  const Matrix before = matrix.multiply(inputs);  // inputs x outputs: what the cells hold
  matrix.program(4, 10, weights.block(4, 10, 6, 9));
  const Matrix after = matrix.multiply(inputs);
  Matrix same = after;
  same.block(10, 4, 9, 6) = before.block(10, 4, 9, 6);
  EXPECT_EQ(same, before) << "outside the block";
  const Matrix change = (after - before).block(10, 4, 9, 6);
  EXPECT_EQ((change.array() == 0).count(), 0) << "every cell of the block has new errors";
  // Other weights arrive, with errors of the same size.
  const Matrix block = Matrix::Constant(6, 9, 0.25f);
  matrix.program(4, 10, block);
  const Matrix held = matrix.multiply(inputs).block(10, 4, 9, 6);
  EXPECT_LT((held.array() - 0.25f).abs().maxCoeff(), 0.5f);
  EXPECT_NEAR(held.mean(), 0.25f, 0.05f);
  EXPECT_THROW(matrix.program(16, 0, block), Error);
}

TEST(AnalogMatrix, MultipliesComplexMatricesAsRealBlocks) {
  const Matrix re = random(6, 9, 1), im = random(6, 9, 2), x_re = random(4, 9, 3), x_im = random(4, 9, 4);
  LayerHardware hardware;
  AnalogMatrix matrix(complex_blocks(re, im), hardware, unit_ranges, chip);
  const Matrix y = matrix.multiply(complex_vectors(x_re, x_im));
  const Matrix y_re = x_re * re.transpose() - x_im * im.transpose(),
               y_im = x_re * im.transpose() + x_im * re.transpose();
  EXPECT_LT(relative(y.leftCols(6), y_re), 1e-6);
  EXPECT_LT(relative(y.rightCols(6), y_im), 1e-6);
}

}  // namespace
}  // namespace crossgrid
