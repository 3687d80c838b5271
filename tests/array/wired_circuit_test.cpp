#include "crossgrid/array/wired_circuit.hpp"

#include <gtest/gtest.h>

#include "crossgrid/array/nodal_circuit.hpp"
#include "crossgrid/backend/thread_team.hpp"
#include "random_array.hpp"

namespace crossgrid {
namespace {

using test::distance;
using test::RandomArrays;

/// Sizes below, at and beyond leaves (8) and tasks (64).
const std::pair<Eigen::Index, Eigen::Index> all_sizes[] = {{1, 1},   {1, 9},   {9, 1},   {5, 8},   {8, 8},
                                                           {17, 20}, {64, 65}, {70, 30}, {130, 67}};
const WireResistance all_wires[] = {{0.01, 0.02, 0.05, 0.1}, {1, 0.3, 0, 0}, {0, 0.02, 0, 0.01}, {0.03, 0, 0, 0}, {}};

TEST(WiredCircuit, HasTheTransferMatrix) {
  RandomArrays random(1);
  for (const auto& [rows, cols] : all_sizes) {
    const WiredCells array = wired_cells(random.cells(rows, cols), all_wires[0]);
    EXPECT_LT(distance(WiredCircuit(array).transfer(), transfer_matrix(array)), 1e-13) << rows << " x " << cols;
  }
}

/// What the solver says of a circuit's inside, held against Kirchhoff and Ohm: `worst` relative to the largest current
/// and voltage.
double worst_violation(const WiredCells& array, const WiredCircuit::Response& response, const MatrixD& drivers,
                       Eigen::Index circuit) {
  const Eigen::Index rows = array.cells.rows(), cols = array.cells.cols();
  const auto of_circuit = [&](const MatrixD& all) {
    return MatrixD(all.col(circuit).reshaped<Eigen::RowMajor>(rows, cols));
  };
  const MatrixD cell_currents = of_circuit(response.cell_currents), across = of_circuit(response.cell_voltages);
  const ArrayState state = array_state(array, drivers.col(circuit), cell_currents);
  // Currents add up along every line to what its end carries (found by another way through the tree).
  const double largest =
      std::max({state.row_currents.cwiseAbs().maxCoeff(), state.col_currents.cwiseAbs().maxCoeff(), 1e-300});
  double worst = (state.row_currents.col(0) - response.driver_currents.col(circuit)).cwiseAbs().maxCoeff() / largest;
  worst = std::max(
      worst, (state.col_currents.row(rows - 1).transpose() - response.adc_currents.col(circuit)).cwiseAbs().maxCoeff() /
                 largest);
  // Ohm: cells between the voltages that the wires leave them, which no cell's law went into.
  const MatrixD left = state.word_voltages - state.bit_voltages;
  const double volt = drivers.col(circuit).cwiseAbs().maxCoeff();
  worst = std::max(worst, (left - across).cwiseAbs().maxCoeff() / volt);
  return std::max(worst, (array.cells.cwiseProduct(left) - cell_currents).cwiseAbs().maxCoeff() / largest);
}

TEST(WiredCircuit, ObeysKirchhoffAndOhm) {
  RandomArrays random(2);
  for (const auto& [rows, cols] : all_sizes) {
    for (const WireResistance& wires : all_wires) {
      for (const bool pairs : {false, true}) {
        const MatrixD plus = random.cells(rows, cols);
        const WiredCells array =
            pairs ? interleaved_cells(plus, random.cells(rows, cols), wires) : wired_cells(plus, wires);
        MatrixD drivers(array.cells.rows(), 2);
        drivers << random.voltages(array.cells.rows()), random.voltages(array.cells.rows());
        const WiredCircuit::Response response = WiredCircuit(array).solve({drivers, {}, {}});
        for (const int circuit : {0, 1}) {
          EXPECT_LT(worst_violation(array, response, drivers, circuit), 1e-12) << rows << " x " << cols;
        }
        const NodalCircuit nodal(netlist_of(array, drivers.col(0)));
        EXPECT_LT(distance(response.adc_currents.col(0), nodal.currents()), 1e-10);
        WiredCircuit::Response wrong = response;
        wrong.cell_currents(0, 0) += 1e-6;
        EXPECT_GT(worst_violation(array, wrong, drivers, 0), 1e-9) << "a cell's current off";
      }
    }
  }
}

/// Currents beside the cells and voltages at the ADCs: by superposition against a circuit of larger cells.
TEST(WiredCircuit, TakesSourcesInside) {
  RandomArrays random(3);
  for (const auto& [rows, cols] : all_sizes) {
    for (const WireResistance& wires : all_wires) {
      const MatrixD cells = random.cells(rows, cols), more = 0.3 * random.cells(rows, cols);
      const Eigen::VectorXd drivers = random.voltages(rows);
      const WiredCircuit circuit(wired_cells(cells, wires));
      const WiredCircuit::Response larger = WiredCircuit(wired_cells(cells + more, wires)).solve({drivers, {}, {}});
      // What the larger cells carry more is put beside the others.
      const MatrixD beside = more.reshaped<Eigen::RowMajor>().cwiseProduct(larger.cell_voltages);
      const WiredCircuit::Response found = circuit.solve({drivers, {}, beside});
      EXPECT_LT(distance(found.adc_currents, larger.adc_currents), 1e-12) << rows << " x " << cols;
      EXPECT_LT(distance(found.driver_currents, larger.driver_currents), 1e-12);
      EXPECT_LT(distance(found.cell_voltages, larger.cell_voltages), 1e-12);
      EXPECT_LT(distance(found.cell_currents, larger.cell_currents), 1e-12);
      EXPECT_LT(distance(circuit.adc_currents({drivers, {}, beside}), larger.adc_currents), 1e-12);
      // All ends at one volt: nothing flows.
      const WiredCircuit::Response still = circuit.solve({MatrixD::Ones(rows, 1), MatrixD::Ones(cols, 1), {}});
      EXPECT_LT(still.adc_currents.cwiseAbs().maxCoeff(), 1e-13 * static_cast<double>(rows));
      EXPECT_LT(still.cell_voltages.cwiseAbs().maxCoeff(), 1e-12);
    }
  }
}

TEST(WiredCircuit, KnowsHowOutputsFollowConductances) {
  RandomArrays random(4);
  const MatrixD cells = random.cells(21, 13);
  const WireResistance wires = all_wires[0];
  const Eigen::VectorXd drivers = random.voltages(21);
  const WiredCircuit circuit(wired_cells(cells, wires));
  for (const Eigen::Index output : {0, 7, 12}) {
    const MatrixD found = circuit.sensitivities(output, drivers);
    for (const auto& [i, j] : {std::pair{0, 0}, {5, 7}, {20, 12}, {13, 0}}) {
      const double step = 1e-4;
      MatrixD up = cells, down = cells;
      up(i, j) += step, down(i, j) -= step;
      const double expected = (transfer_matrix(wired_cells(up, wires)) * drivers -
                               transfer_matrix(wired_cells(down, wires)) * drivers)[output] /
                              (2 * step);
      EXPECT_NEAR(found(i, j), expected, 1e-8) << i << ", " << j << " on " << output;
    }
  }
}

TEST(WiredCircuit, UpdatesItsTransferMatrix) {
  RandomArrays random(5);
  for (const auto& [rows, cols] :
       {std::pair<Eigen::Index, Eigen::Index>{1, 1}, {20, 31}, {64, 64}, {200, 130}, {130, 256}}) {
    for (const WireResistance& wires : all_wires) {
      MatrixD cells = random.cells(rows, cols);
      const WiredCircuit circuit(wired_cells(cells, wires));
      std::vector<CellChange> changes;
      const Eigen::Index count = std::max<Eigen::Index>(1, std::min(rows, cols) / 32);
      for (Eigen::Index k = 0; k < count; ++k) {
        // Writes and faults, on and off, in rows of their own.
        const double g = k % 3 == 0 ? random.uniform(0, 1) : k % 3 == 1 ? 1 : 0;
        const auto col = static_cast<Eigen::Index>(random.uniform(0, static_cast<double>(cols)));
        // The first cell is the one next to a driver and an ADC.
        changes.push_back({rows - 1 - (k * 29) % rows, k == 0 ? 0 : col, g});
        cells(changes.back().row, changes.back().col) = g;
      }
      const MatrixD rebuilt = transfer_matrix(wired_cells(cells, wires));
      EXPECT_LT(distance(circuit.changed_transfer(changes), rebuilt), 1e-12) << rows << " x " << cols;
      changes.front().conductance += 1e-3;
      EXPECT_GT(distance(circuit.changed_transfer(changes), rebuilt), 1e-6) << "a cell 0.001 off";
    }
  }
  const WiredCells array = wired_cells(random.cells(5, 6), all_wires[0]);
  const WiredCircuit circuit(array);
  EXPECT_EQ(circuit.changed_transfer({}), circuit.transfer());
}

TEST(WiredCircuit, HasTheSameBitsForAnyThreads) {
  RandomArrays random(6);
  const WiredCells array = wired_cells(random.cells(150, 140), all_wires[0]);
  ThreadTeam team(3);
  const ParallelLoop threads = [&](std::size_t count, const std::function<void(std::size_t)>& body) {
    team.parallel_for(count, [&](std::size_t k, int) { body(k); });
  };
  const Eigen::VectorXd drivers = random.voltages(150);
  EXPECT_EQ(WiredCircuit(array).state(drivers).word_voltages,
            WiredCircuit(array, threads).state(drivers).word_voltages);
}

}  // namespace
}  // namespace crossgrid
