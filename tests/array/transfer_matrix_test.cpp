#include "crossgrid/array/transfer_matrix.hpp"

#include <gtest/gtest.h>

#include <Eigen/LU>
#include <algorithm>
#include <random>

#include "crossgrid/array/nodal_circuit.hpp"
#include "crossgrid/backend/thread_team.hpp"
#include "crossgrid/base/error.hpp"

namespace crossgrid {
namespace {

/// Every node of the circuit, by Kirchhoff's current law; wires must resist.
MatrixD nodal_transfer(const MatrixD& cells, const WireResistance& wires) {
  const Eigen::Index rows = cells.rows(), cols = cells.cols(), count = rows * cols;
  const auto word = [&](Eigen::Index i, Eigen::Index j) { return i * cols + j; };
  const auto bit = [&](Eigen::Index i, Eigen::Index j) { return count + i * cols + j; };
  MatrixD nodes = MatrixD::Zero(2 * count, 2 * count), drive = MatrixD::Zero(2 * count, rows);
  const auto join = [&](Eigen::Index a, Eigen::Index b, double g) {
    nodes(a, a) += g, nodes(b, b) += g, nodes(a, b) -= g, nodes(b, a) -= g;
  };
  for (Eigen::Index i = 0; i < rows; ++i) {
    for (Eigen::Index j = 0; j < cols; ++j) {
      join(word(i, j), bit(i, j), cells(i, j));
      if (j > 0) join(word(i, j - 1), word(i, j), 1 / wires.row);
      if (i > 0) join(bit(i - 1, j), bit(i, j), 1 / wires.col);
    }
    const double driver = 1 / (wires.row + wires.row_end);
    nodes(word(i, 0), word(i, 0)) += driver;
    drive(word(i, 0), i) = driver;
  }
  const double adc = 1 / (wires.col + wires.col_end);
  for (Eigen::Index j = 0; j < cols; ++j) nodes(bit(rows - 1, j), bit(rows - 1, j)) += adc;
  const MatrixD voltages = nodes.partialPivLu().solve(drive);
  return adc * voltages.bottomRows(cols);
}

MatrixD transfer_of(const MatrixD& cells, const WireResistance& wires) {
  return transfer_matrix(wired_cells(cells, wires));
}

/// Conductances between 0 and 1, a quarter of them at `low`.
MatrixD random_cells(Eigen::Index rows, Eigen::Index cols, double low, unsigned seed) {
  std::mt19937 random(seed);
  MatrixD cells(rows, cols);
  for (double& g : cells.reshaped()) {
    g = std::max(low, std::uniform_real_distribution<double>(-0.3, 1)(random));
  }
  return cells;
}

double distance(const MatrixD& a, const MatrixD& b) {
  return (a - b).cwiseAbs().maxCoeff() / std::max(b.cwiseAbs().maxCoeff(), 1e-300);
}

TEST(TransferMatrix, SolvesTheWholeCircuit) {
  const std::pair<Eigen::Index, Eigen::Index> sizes[] = {{1, 1}, {1, 7}, {7, 1}, {2, 2}, {5, 8}, {12, 9}, {17, 20}};
  const WireResistance wires[] = {{1, 0.3, 0, 0}, {0.01, 0.02, 0.5, 0}, {0.02, 0.01, 0, 0.4}, {1e-4, 3e-4, 1e-3, 2e-3}};
  unsigned seed = 1;
  for (const auto& [rows, cols] : sizes) {
    for (const WireResistance& w : wires) {
      for (const double low : {0.0, 0.1}) {
        const MatrixD cells = random_cells(rows, cols, low, seed++);
        const MatrixD found = transfer_of(cells, w), expected = nodal_transfer(cells, w);
        ASSERT_EQ(found.rows(), cols);
        ASSERT_EQ(found.cols(), rows);
        EXPECT_LT(distance(found, expected), 1e-10) << rows << " x " << cols;
        const WireResistance swapped{w.col, w.row, w.row_end, w.col_end};
        if (rows * cols == 1) continue;
        EXPECT_GT(distance(transfer_of(cells, swapped), expected), 1e-6) << "r_row is r_col";
      }
    }
  }
}

TEST(TransferMatrix, IsThePlainProductWithIdealWires) {
  const MatrixD cells = random_cells(33, 20, 0, 3);
  EXPECT_LT((transfer_of(cells, {}) - cells.transpose()).cwiseAbs().maxCoeff(), 1e-15);
  // To first order in what a wire resists: row i's driver carries sum_j g_ij,
  // column j's ADC sum_i g_ij v_i.
  const double r = 1e-9, c = 2e-9;
  const MatrixD near = transfer_of(cells, {0, 0, r, c});
  for (Eigen::Index i = 0; i < cells.rows(); ++i) {
    for (Eigen::Index j = 0; j < cells.cols(); ++j) {
      const double loss = cells(i, j) * (r * cells.row(i).sum() + c * cells.col(j).sum());
      EXPECT_NEAR(cells(i, j) - near(j, i), loss, 1e-14);
    }
  }
}

TEST(TransferMatrix, HasTheClosedFormsOfSmallArrays) {
  const double g1 = 0.7, g2 = 0.2, r = 0.3, c = 0.5, row_end = 0.4, col_end = 0.9;
  const MatrixD one = MatrixD::Constant(1, 1, g1);
  EXPECT_NEAR(transfer_of(one, {r, c, row_end, col_end})(0, 0), 1 / (1 / g1 + r + c + row_end + col_end), 1e-15);
  // Two rows on one bit line: a ladder of two segments.
  MatrixD two(2, 1);
  two << g1, g2;
  const double h1 = 1 / (1 / g1 + r), h2 = 1 / (1 / g2 + r);
  EXPECT_NEAR(transfer_of(two, {r, c, 0, 0})(0, 0), h1 / ((2 + c * h2) * (1 + c * h1) - 1), 1e-15);
}

TEST(TransferMatrix, ScalesAndMirrors) {
  const MatrixD cells = random_cells(14, 9, 0.02, 5);
  const WireResistance wires{0.2, 0.1, 0.3, 0.4}, scaled{0.05, 0.025, 0.075, 0.1};
  EXPECT_LT(distance(transfer_of(4 * cells, scaled), 4 * transfer_of(cells, wires)), 1e-13);
  // Reciprocity: driven from the ADCs' ends, seen at the drivers', the array is
  // its mirror image.
  const MatrixD mirrored = cells.transpose().reverse();
  const MatrixD other = transfer_of(mirrored, {wires.col, wires.row, wires.col_end, wires.row_end});
  EXPECT_LT(distance(other.transpose().reverse(), transfer_of(cells, wires)), 1e-13);
}

TEST(TransferMatrix, StandsFloatingLines) {
  MatrixD cells = random_cells(8, 6, 0, 7);
  cells.row(3).setZero(), cells.col(2).setZero();
  const MatrixD found = transfer_of(cells, {0.1, 0.2, 0, 0});
  EXPECT_TRUE(found.allFinite());
  EXPECT_EQ(found.row(2).cwiseAbs().maxCoeff(), 0);
  EXPECT_EQ(found.col(3).cwiseAbs().maxCoeff(), 0);
}

/// Currents of random signed voltages by T and by the whole circuit, relative to the largest.
double off_the_circuit(const WiredCells& array, const MatrixD& transfer, unsigned seed) {
  const NodalCircuit circuit(netlist_of(array, Eigen::VectorXd::Zero(array.cells.rows())));
  std::mt19937 random(seed);
  double worst = 0;
  for (int vector = 0; vector < 2; ++vector) {
    Eigen::VectorXd voltages(array.cells.rows());
    for (double& v : voltages) v = std::uniform_real_distribution<double>(-1, 1)(random);
    const Eigen::VectorXd expected = circuit.currents(voltages), found = transfer * voltages;
    worst = std::max(worst, (found - expected).cwiseAbs().maxCoeff() / expected.cwiseAbs().maxCoeff());
  }
  return worst;
}

/// Sizes at and about those of leaves (8), tasks (64) and long joints (256), and long thin arrays.
TEST(TransferMatrix, SolvesArraysOfEverySize) {
  const std::pair<Eigen::Index, Eigen::Index> sizes[] = {{8, 8},    {9, 8},    {8, 9},   {63, 64}, {65, 64}, {64, 65},
                                                         {100, 37}, {129, 66}, {1, 300}, {300, 1}, {3, 500}, {260, 17}};
  unsigned seed = 20;
  for (const auto& [rows, cols] : sizes) {
    for (const WireResistance& wires : {WireResistance{2e-3, 1e-3, 5e-3, 3e-3}, WireResistance{0, 0.02, 0.1, 0},
                                        WireResistance{0.03, 0, 0, 0.2}, WireResistance{0, 0, 0.01, 0.02}}) {
      const WiredCells array = wired_cells(random_cells(rows, cols, 0.01, ++seed), wires);
      EXPECT_LT(off_the_circuit(array, transfer_matrix(array), seed), 1e-10) << rows << " x " << cols;
      WiredCells other = array;
      other.cells(rows - 1, 0) += 0.01;  // near its driver and its ADC
      EXPECT_GT(off_the_circuit(array, transfer_matrix(other), seed), 1e-9) << "a cell of another conductance";
    }
  }
}

TEST(TransferMatrix, SolvesInterleavedPairs) {
  unsigned seed = 50;
  for (const auto& [rows, cols] : {std::pair<Eigen::Index, Eigen::Index>{1, 1}, {5, 4}, {40, 23}}) {
    for (const WireResistance& wires : {WireResistance{0.01, 0.02, 0.05, 0.1}, WireResistance{0, 0.02, 0, 0}}) {
      const MatrixD plus = random_cells(rows, cols, 0.01, ++seed), minus = random_cells(rows, cols, 0, ++seed);
      const WiredCells array = interleaved_cells(plus, minus, wires);
      EXPECT_LT(off_the_circuit(array, transfer_matrix(array), seed), 1e-10);
    }
  }
  // One pair without word-line resistance: the cells' difference drives, their sum loads the bit line.
  const MatrixD one = MatrixD::Constant(1, 1, 0.6), other = MatrixD::Constant(1, 1, 0.1);
  const MatrixD transfer = transfer_matrix(interleaved_cells(one, other, {0, 0.5, 0, 0.25}));
  EXPECT_NEAR(transfer(0, 0) - transfer(0, 1), 0.5 / (1 + 0.7 * 0.75), 1e-15);
}

/// From a billionth of a cell's resistance to its whole: mirrored, the same circuit is cut and merged in another order.
TEST(TransferMatrix, HoldsItsDigitsForEveryWire) {
  for (const double ratio : {1e-9, 1e-6, 1e-3, 0.03, 1.0}) {
    for (const double low : {0.0, 0.1, 1.0}) {
      const MatrixD cells = random_cells(70, 90, low, 77);
      const WireResistance wires{ratio, 2 * ratio, 0.5 * ratio, 3 * ratio};
      const MatrixD mirrored = cells.transpose().reverse();
      const MatrixD other = transfer_of(mirrored, {wires.col, wires.row, wires.col_end, wires.row_end});
      const MatrixD transfer = transfer_of(cells, wires);
      EXPECT_LT(distance(other.transpose().reverse(), transfer), 1e-13) << ratio;
      EXPECT_GE(transfer.minCoeff(), 0) << "no driver draws from an ADC";
    }
  }
}

TEST(TransferMatrix, GivesTheSameBitsForAnyThreads) {
  for (const auto& [rows, cols] : {std::pair<Eigen::Index, Eigen::Index>{150, 70}, {300, 270}}) {
    const WiredCells array = wired_cells(random_cells(rows, cols, 0.01, 91), {1e-3, 2e-3, 0, 0});
    const MatrixD alone = transfer_matrix(array);
    for (const int threads : {2, 3}) {
      ThreadTeam team(threads);
      const MatrixD together =
          transfer_matrix(array, [&](std::size_t count, const std::function<void(std::size_t)>& body) {
            team.parallel_for(count, [&](std::size_t k, int) { body(k); });
          });
      EXPECT_EQ(alone, together) << threads;
    }
    const MatrixD mirrored = array.cells.transpose().reverse();
    EXPECT_LT(distance(transfer_of(mirrored, {2e-3, 1e-3, 0, 0}).transpose().reverse(), alone), 1e-13);
  }
}

TEST(TransferMatrix, SaysWhatMemoryIsMissing) {
  EXPECT_NO_THROW(check_array_memory(4096, 4096, transfer_memory(4096, 4096), std::uint64_t{8} << 30));
  EXPECT_NO_THROW(check_array_memory(4096, 4096, transfer_memory(4096, 4096), std::nullopt));
  try {
    check_array_memory(4096, 2048, transfer_memory(4096, 2048), std::uint64_t{1'500'000'000});
    FAIL() << "1.6 GB in 1.5";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_input);
    EXPECT_STREQ(error.what(),
                 "an array with wires of 4096 x 2048 cells takes 1.6 GB to solve, but only 1.5 GB are free: smaller "
                 "arrays (array.rows_max, array.cols_max) take less");
  }
}

}  // namespace
}  // namespace crossgrid
