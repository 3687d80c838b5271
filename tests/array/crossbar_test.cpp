#include "crossgrid/array/crossbar.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "crossgrid/base/normal.hpp"

namespace crossgrid {
namespace {

/// An array of rows x cols at (row_first, col_first) of a 20 x 100 matrix.
Crossbar noisy_crossbar(int row_first, int rows, int col_first, int cols) {
  Matrix whole(20, 100);
  fill_normals({whole.data(), static_cast<std::size_t>(whole.size())}, {{{1, 1}}, 0, 0}, 0);
  whole = whole.cwiseAbs();
  Crossbar array;
  array.row_first = row_first, array.rows = rows, array.col_first = col_first, array.cols = cols;
  array.matrix_rows = 20, array.matrix_cols = 100;
  array.plus = whole.block(row_first, col_first, rows, cols);
  array.minus = 0.5f * array.plus;
  array.conductance = array.plus - array.minus;
  array.noise_variance = 0.01f * array.plus;
  array.read_noise = {{0.1f, 0.0f}, {0.0f, 10.0f}};
  array.lumped_key = {{1, 2}}, array.plus_key = {{3, 4}}, array.minus_key = {{5, 6}};
  return array;
}

const Matrix variance = Matrix::Constant(50, 100, 0.25f);

TEST(LumpedNoise, AddsTheScaledDrawOfEveryOutput) {
  const Crossbar array = noisy_crossbar(0, 20, 0, 100);
  Matrix currents = Matrix::Ones(50, 100);
  add_lumped_noise(array, 7, 30, 0, 50, variance.data(), 100, currents.data(), 100);
  for (int w = 0; w < 50; ++w) {
    for (int j = 0; j < 100; ++j) {
      const float z = normal_draw({array.lumped_key, 7, 0},
                                  (30 + static_cast<std::uint64_t>(w)) * 100 + static_cast<std::uint64_t>(j));
      ASSERT_EQ(currents(w, j), fused(0.5f, z, 1.0f));
    }
  }
}

TEST(LumpedNoise, DoesNotDependOnTilesOrColumnBlocks) {
  const Crossbar whole = noisy_crossbar(0, 20, 0, 100);
  Matrix expected = Matrix::Zero(50, 100), found = Matrix::Zero(50, 100);
  add_lumped_noise(whole, 7, 30, 0, 50, variance.data(), 100, expected.data(), 100);
  for (const auto& [first, cols] : {std::pair{0, 33}, {33, 60}, {93, 7}}) {
    const Crossbar part = noisy_crossbar(0, 20, first, cols);
    for (int window = 0; window < 50; window += 10) {
      add_lumped_noise(part, 7, 30 + static_cast<std::uint32_t>(window), 0, 10, variance.data(), 100,
                       found.data() + window * 100 + first, 100);
    }
  }
  EXPECT_EQ(found, expected);
}

TEST(CellNoise, SumsEveryCellsOwnDraw) {
  const Crossbar array = noisy_crossbar(4, 12, 10, 70);
  Matrix inputs = Matrix::Random(3, 12);
  inputs(1, 5) = 0;
  Matrix currents(3, 70);
  mvm_with_cell_noise(array, 7, 30, 0, 3, inputs.data(), 12, currents.data(), 70);
  const auto cell = [&](const Matrix& cells, PhiloxKey key, int w, int i, int j) {
    const auto index = ((30 + static_cast<std::uint64_t>(w)) * 20 + static_cast<std::uint64_t>(4 + i)) * 100 +
                       static_cast<std::uint64_t>(10 + j);
    return std::max(0.0, static_cast<double>(cells(i, j)) + 0.1 * static_cast<double>(normal_draw({key, 7, 0}, index)));
  };
  for (int w = 0; w < 3; ++w) {
    for (int j = 0; j < 70; ++j) {
      double sum = 0;
      for (int i = 0; i < 12; ++i) {
        sum += static_cast<double>(inputs(w, i)) *
               (cell(array.plus, array.plus_key, w, i, j) - cell(array.minus, array.minus_key, w, i, j));
      }
      ASSERT_NEAR(currents(w, j), sum, 1e-5) << w << ", " << j;
    }
  }
}

/// Rows and columns of a matrix on several arrays carry the noise that they carry on one.
TEST(CellNoise, DoesNotDependOnThePartition) {
  const Matrix inputs = Matrix::Random(3, 20);
  Matrix whole(3, 100), sum = Matrix::Zero(3, 100);
  mvm_with_cell_noise(noisy_crossbar(0, 20, 0, 100), 7, 30, 0, 3, inputs.data(), 20, whole.data(), 100);
  for (const auto& [row, rows] : {std::pair{0, 7}, {7, 13}}) {
    for (const auto& [col, cols] : {std::pair{0, 64}, {64, 36}}) {
      Matrix part(3, cols);
      mvm_with_cell_noise(noisy_crossbar(row, rows, col, cols), 7, 30, 0, 3, inputs.data() + row, 20, part.data(),
                          cols);
      sum.middleCols(col, cols) += part;
    }
  }
  EXPECT_LT((sum - whole).cwiseAbs().maxCoeff(), 1e-5f);
}

}  // namespace
}  // namespace crossgrid
