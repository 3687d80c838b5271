#include "crossgrid/array/gated_array.hpp"

#include <gtest/gtest.h>

#include "crossgrid/array/nodal_circuit.hpp"
#include "random_array.hpp"

namespace crossgrid {
namespace {

using test::distance;
using test::RandomArrays;

const WireResistance all_wires[] = {{0.01, 0.02, 0.05, 0.1}, {1, 0.3, 0, 0}, {0, 0.02, 0, 0.01}, {0.03, 0, 0.2, 0}, {}};

/// Sizes below, at and beyond the columns that are solved together.
TEST(GatedArray, SolvesTheWholeCircuit) {
  const std::pair<Eigen::Index, Eigen::Index> sizes[] = {{1, 1}, {1, 5}, {7, 1}, {6, 9}, {20, 64}, {31, 70}};
  RandomArrays random(1);
  for (const auto& [rows, cols] : sizes) {
    for (const WireResistance& wires : all_wires) {
      for (const bool pairs : {false, true}) {
        const GatedCells array =
            gated_cells(random.cells(rows, cols), pairs ? random.cells(rows, cols) : MatrixD(), wires);
        for (const bool is_signed : {false, true}) {
          Eigen::VectorXd gates = random.gates(rows, is_signed);
          gates[0] = 1;
          const Eigen::VectorXd expected = NodalCircuit(netlist_of(array, gates)).currents();
          EXPECT_LT(distance(gated_currents(array, gates), expected), 1e-12) << rows << " x " << cols;
          if (wires.row == wires.col || rows * cols < 50) continue;
          WireResistance swapped{wires.col, wires.row, wires.col_end, wires.row_end};
          const GatedCells other = gated_cells(array.plus, array.minus, swapped);
          EXPECT_GT(distance(gated_currents(other, gates), expected), 1e-6) << "r_row is r_col";
        }
      }
    }
  }
}

TEST(GatedArray, IsThePlainProductWithIdealWires) {
  RandomArrays random(2);
  const MatrixD cells = random.cells(33, 20);
  const Eigen::VectorXd gates = random.gates(33, true);
  const Eigen::VectorXd found = gated_currents(gated_cells(cells, {}, {}), gates);
  EXPECT_LT((found - cells.transpose() * gates).cwiseAbs().maxCoeff(), 1e-14 * cells.sum());
}

/// A ladder of two rungs by hand: every cell at full conductance, all segments r.
TEST(GatedArray, MatchesTheClosedFormOfTwoRows) {
  const double r = 0.25;
  const GatedCells array = gated_cells(MatrixD::Ones(2, 1), {}, {r, r, 0, 0});
  // i1 and i2 see 1 - r (i1 + i2) - r i1 - r (i1 + i2) and 1 - r (i1 + 2 i2) - r (i1 + i2): equal by symmetry.
  const double each = 1 / (1 + 5 * r);
  const GatedState state = gated_state(array, Eigen::Vector2d(1, 1));
  EXPECT_NEAR(state.plus_currents(0, 0), each, 1e-15);
  EXPECT_NEAR(state.plus_currents(1, 0), each, 1e-15);
  EXPECT_NEAR(state.currents[0], 2 * each, 1e-15);
  EXPECT_NEAR(gated_currents(array, Eigen::Vector2d(0, 1))[0], 1 / (1 + 3 * r), 1e-15);
  EXPECT_NEAR(gated_currents(array, Eigen::Vector2d(-1, 0))[0], -1 / (1 + 3 * r), 1e-15);
}

/// Ohm's law on every cell from currents and voltages that went separate ways, with sources beside the cells.
TEST(GatedArray, KnowsWhatIsInItsCells) {
  RandomArrays random(3);
  const Eigen::Index rows = 13, cols = 67;
  for (const WireResistance& wires : all_wires) {
    const GatedCells array = gated_cells(random.cells(rows, cols), random.cells(rows, cols), wires);
    const Eigen::VectorXd gates = random.gates(rows, true);
    const MatrixD plus = random.cells(rows, cols), minus = random.cells(rows, cols);
    const GatedState state = gated_state(array, gates, plus, minus);
    const auto driven = gates.cwiseAbs().asDiagonal();
    const MatrixD plus_law = driven * MatrixD(array.plus.cwiseProduct(state.plus_voltages) + plus);
    const MatrixD minus_law = driven * MatrixD(array.minus.cwiseProduct(state.minus_voltages) + minus);
    EXPECT_LT(distance(state.plus_currents, plus_law), 1e-13);
    EXPECT_LT(distance(state.minus_currents, minus_law), 1e-13);
    const Eigen::VectorXd sums = (state.plus_currents + state.minus_currents).colwise().sum();
    EXPECT_LT(distance(state.currents, sums), 1e-13);
    // The voltages along the lines, added up from the sources and the ADCs.
    for (Eigen::Index j = 0; j < cols; ++j) {
      Eigen::VectorXd bit(rows);
      double voltage = 0;
      for (Eigen::Index i = rows; i-- > 0;) {
        const auto above = (state.plus_currents + state.minus_currents).col(j).head(i + 1);
        bit[i] = voltage += array.bit_segments[static_cast<std::size_t>(i)] * above.sum();
      }
      double drop = 0;
      for (Eigen::Index i = 0; i < rows; ++i) {
        drop += array.supply_segments[static_cast<std::size_t>(i)] * state.plus_currents.col(j).tail(rows - i).sum();
        if (gates[i] == 0) continue;
        EXPECT_NEAR(state.plus_voltages(i, j), gates[i] - drop - bit[i], 1e-12);
      }
    }
  }
}

TEST(GatedArray, LengthensTheLinesOfUnusedRows) {
  const GatedCells top = gated_cells(MatrixD::Ones(3, 1), {}, {1, 2, 10, 20}, 4, UsedRows::top);
  EXPECT_EQ(top.supply_segments, (std::vector<double>{11, 1, 1}));
  EXPECT_EQ(top.bit_segments, (std::vector<double>{2, 2, 30}));
  const GatedCells bottom = gated_cells(MatrixD::Ones(3, 1), {}, {1, 2, 10, 20}, 4, UsedRows::bottom);
  EXPECT_EQ(bottom.supply_segments, (std::vector<double>{15, 1, 1}));
  EXPECT_EQ(bottom.bit_segments, (std::vector<double>{2, 2, 22}));
}

/// Nothing floats: cells and rows that are cut off carry nothing.
TEST(GatedArray, StandsFloatingCells) {
  RandomArrays random(4);
  MatrixD cells = random.cells(6, 5);
  cells.col(2).setZero();
  const GatedCells array = gated_cells(cells, {}, {0.1, 0.2, 0, 0});
  EXPECT_EQ(gated_currents(array, Eigen::VectorXd::Zero(6)).cwiseAbs().maxCoeff(), 0);
  const Eigen::VectorXd found = gated_currents(array, Eigen::VectorXd::Ones(6));
  EXPECT_TRUE(found.allFinite());
  EXPECT_EQ(found[2], 0);
}

}  // namespace
}  // namespace crossgrid
