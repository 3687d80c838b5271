#include "crossgrid/array/array_circuit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crossgrid/array/nodal_circuit.hpp"
#include "crossgrid/base/error.hpp"
#include "random_circuit.hpp"

namespace crossgrid {
namespace {

using test::distance;
using test::for_each_topology;
using test::RandomArrays;

const WireResistance typical{2e-3, 5e-3, 0.01, 0.02};

DeviceConfig cubic_device(double volt) {
  DeviceConfig device;
  device.iv = IvModel::cubic, device.read_voltage = volt;
  return device;
}

/// Carried currents and voltages, on/off ratios of 1, 10 and infinity (cells down to `low`).
TEST(ArrayCircuit, ObeysKirchhoffAndOhmInEveryTopology) {
  unsigned seed = 1;
  for (const double resistance : {0.0, 1e-9, 1e-6, 1e-3, 1.0}) {
    for (const double low : {0.0, 0.1, 1.0}) {
      const WireResistance wires{resistance, 2 * resistance, 3 * resistance, resistance};
      for_each_topology(64, 50, wires, {}, low, seed++,
                        [&](const ArrayCircuit& circuit, const Eigen::VectorXd& inputs) {
                          const CircuitState state = circuit.state(inputs);
                          EXPECT_LT(state.kirchhoff_residual, 1e-12) << resistance << ", " << low;
                          EXPECT_LT(state.ohm_residual, 1e-10) << resistance << ", " << low;
                        });
    }
  }
}

/// Conservation of energy: what the sources deliver is what cells and wires turn to heat.
TEST(ArrayCircuit, DissipatesWhatItsSourcesDeliver) {
  RandomArrays random(3);
  const MatrixD cells = random.cells(20, 12);
  CircuitConfig config;
  config.wires = typical;
  for (const DeviceConfig& device : {DeviceConfig{}, cubic_device(0.9)}) {
    const Eigen::VectorXd inputs = random.voltages(20);
    const CircuitState state = ArrayCircuit(cells, {}, config, device).state(inputs);
    const MatrixD across = state.plus_line_voltages - state.bit_voltages;
    double heat = across.cwiseProduct(state.plus_currents).sum();
    MatrixD flowing = state.plus_currents;
    for (Eigen::Index j = 11; j-- > 0;) flowing.col(j) += flowing.col(j + 1);
    heat += typical.row * flowing.squaredNorm() + typical.row_end * flowing.col(0).squaredNorm();
    heat += typical.col * state.bit_currents.squaredNorm() + typical.col_end * state.bit_currents.row(19).squaredNorm();
    EXPECT_NEAR(state.power, heat, 1e-12 * heat);
    EXPECT_GT(std::abs(state.power - across.cwiseProduct(state.plus_currents).sum()), 1e-3 * heat)
        << "without wires' heat";
  }
}

TEST(ArrayCircuit, SolvesNonlinearCellsByNewton) {
  unsigned seed = 20;
  for (const WireResistance& wires :
       {typical, WireResistance{0.05, 0.01, 0, 0}, WireResistance{0, 0.02, 0, 0.01}, WireResistance{1, 0.5, 0, 0}}) {
    for_each_topology(17, 9, wires, cubic_device(0.9), 0, seed++,
                      [&](const ArrayCircuit& circuit, const Eigen::VectorXd& inputs) {
                        const ArrayNetlist netlist = circuit.netlist(inputs);
                        const auto cubic = [&](double volt) {
                          return NodalCircuit(netlist).nonlinear_currents([&, volt](std::size_t k, double v) {
                            return netlist.cells[k].conductance * (v - volt * volt * v * v * v / 4);
                          });
                        };
                        EXPECT_LT(distance(circuit.currents(inputs), cubic(0.9)), 1e-11);
                        EXPECT_GT(distance(circuit.currents(inputs), cubic(0.91)), 1e-5) << "another read voltage";
                        EXPECT_LT(circuit.state(inputs).ohm_residual, 1e-11);
                      });
  }
}

/// Beyond the top of the cubic's current, cells have negative slopes: no solution, or none that is found.
TEST(ArrayCircuit, SaysWhereNewtonFails) {
  CircuitConfig config;
  config.wires = {0.5, 0.5, 0, 0};
  DeviceConfig device = cubic_device(40);
  RandomArrays random(4);
  const ArrayCircuit circuit(random.cells(12, 12), {}, config, device);
  try {
    circuit.currents(Eigen::VectorXd::Ones(12));
    FAIL() << "solved";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_input);
    EXPECT_THAT(error.what(), testing::HasSubstr("Newton's method leaves"));
  }
}

/// An amplitude is a pulse of that length where everything is linear; else a sum over time steps.
TEST(ArrayCircuit, AddsUpPulses) {
  RandomArrays random(5);
  const Eigen::Index rows = 14, cols = 6;
  const int steps = 7;
  Eigen::VectorXd inputs(rows);
  for (double& x : inputs) x = std::floor(random.uniform(-steps, steps + 1)) / steps;
  for (const bool pairs : {false, true}) {
    const MatrixD plus = random.cells(rows, cols), minus = pairs ? random.cells(rows, cols) : MatrixD();
    CircuitConfig config;
    config.wires = {0.01, 0.02, 0, 0.01}, config.pulses = true;
    CircuitConfig amplitude = config;
    amplitude.pulses = false;
    EXPECT_LT(distance(ArrayCircuit(plus, minus, config, {}).currents(inputs),
                       ArrayCircuit(plus, minus, amplitude, {}).currents(inputs)),
              1e-13);
    config.source = amplitude.source = WireSource::separate;
    const ArrayCircuit gated(plus, minus, amplitude, {});
    Eigen::VectorXd sum = Eigen::VectorXd::Zero(cols);
    for (int step = 0; step < steps; ++step) {
      const Eigen::VectorXd on =
          inputs.unaryExpr([&](double x) { return std::abs(x) * steps > step + 0.5 ? std::copysign(1.0, x) : 0.0; });
      sum += gated.currents(on) / steps;
    }
    const Eigen::VectorXd found = ArrayCircuit(plus, minus, config, {}).currents(inputs);
    EXPECT_LT(distance(found, sum), 1e-13);
    EXPECT_GT(distance(found, plus.transpose() * inputs), 1e-2) << "ideal wires";
  }
}

/// Read noise: the first order leaves an error that falls with the square of the noise. Its size for cells that scatter
/// by 5 % of Gmax between wires of 1/500 and 1/200 of theirs, 48 rows: below 0.3 % of the largest current (and the
/// noise itself does 30 times as much).
TEST(ArrayCircuit, TakesReadNoiseToFirstOrderOrExactly) {
  RandomArrays random(6);
  const Eigen::Index rows = 48, cols = 20;
  for (const bool pairs : {false, true}) {
    const MatrixD plus = random.cells(rows, cols), minus = pairs ? random.cells(rows, cols) : MatrixD();
    MatrixD draws_plus(rows, cols), draws_minus = minus;
    for (double& z : draws_plus.reshaped()) z = random.uniform(-1.7, 1.7);
    for (double& z : draws_minus.reshaped()) z = random.uniform(-1.7, 1.7);
    const Eigen::VectorXd inputs = random.voltages(rows);
    CircuitConfig config;
    config.wires = typical;
    const ArrayCircuit first(plus, minus, config, {});
    config.noise = WireNoise::exact;
    const ArrayCircuit exact(plus, minus, config, {});
    const Eigen::VectorXd still = first.currents(inputs);
    EXPECT_LT(distance(exact.currents(inputs), still), 1e-13);
    double before = 0;
    for (const double sigma : {0.05, 0.025}) {
      const CellReads reads{(plus + sigma * draws_plus).cwiseMax(0),
                            pairs ? MatrixD((minus + sigma * draws_minus).cwiseMax(0)) : MatrixD()};
      const Eigen::VectorXd linear = first.currents(inputs, {&reads, 1}), solved = exact.currents(inputs, {&reads, 1});
      const WiredCells cells =
          pairs ? interleaved_cells(reads.plus, reads.minus, typical) : wired_cells(reads.plus, typical);
      Eigen::VectorXd lines = inputs;
      if (pairs) {
        lines.resize(2 * rows);
        for (Eigen::Index i = 0; i < rows; ++i) lines[2 * i] = inputs[i], lines[2 * i + 1] = -inputs[i];
      }
      EXPECT_LT(distance(solved, NodalCircuit(netlist_of(cells, lines)).currents()), 1e-11);
      const double error = distance(linear, solved), noise = distance(solved, still);
      EXPECT_LT(error, 3e-3);
      EXPECT_GT(noise, 30 * error);
      if (before > 0) {
        EXPECT_NEAR(before / error, 4, 1) << "of second order";
      }
      before = error;
    }
  }
}

/// An input that is not a number shows in the currents, of every kind of circuit, and ends.
TEST(ArrayCircuit, KeepsNotANumberVisible) {
  RandomArrays random(9);
  const MatrixD cells = random.cells(9, 4);
  Eigen::VectorXd inputs = Eigen::VectorXd::Ones(9);
  inputs[3] = std::numeric_limits<double>::quiet_NaN();
  for (const WireSource source : {WireSource::input, WireSource::separate}) {
    for (const bool pulses : {false, true}) {
      for (const DeviceConfig& device : {DeviceConfig{}, cubic_device(0.9)}) {
        CircuitConfig config;
        config.wires = typical, config.source = source, config.pulses = pulses;
        EXPECT_TRUE(ArrayCircuit(cells, {}, config, device).currents(inputs).array().isNaN().all()) << pulses;
      }
    }
  }
}

/// Gated cells are solved with the cells as they are read.
TEST(ArrayCircuit, ReadsGatedCells) {
  RandomArrays random(7);
  const MatrixD plus = random.cells(9, 4), minus = random.cells(9, 4);
  const CellReads reads{random.cells(9, 4), random.cells(9, 4)};
  CircuitConfig config;
  config.wires = typical, config.source = WireSource::separate;
  const Eigen::VectorXd gates = random.gates(9, true);
  EXPECT_EQ(ArrayCircuit(plus, minus, config, {}).currents(gates, {&reads, 1}),
            ArrayCircuit(reads.plus, reads.minus, config, {}).currents(gates));
}

/// Noise is linear in the voltage, as it is between ideal wires, whatever else the cell carries.
TEST(ArrayCircuit, ReadsNonlinearCellsWithLinearNoise) {
  RandomArrays random(8);
  for (const WireSource source : {WireSource::input, WireSource::separate}) {
    const MatrixD plus = random.cells(9, 4);
    const MatrixD read = plus + 0.05 * random.cells(9, 4);
    CircuitConfig config;
    config.wires = typical, config.source = source;
    const ArrayCircuit circuit(plus, {}, config, cubic_device(0.9));
    const Eigen::VectorXd inputs = source == WireSource::input ? random.voltages(9) : random.gates(9, false);
    const ArrayNetlist netlist = circuit.netlist(inputs);
    const Eigen::VectorXd expected = NodalCircuit(netlist).nonlinear_currents([&](std::size_t k, double v) {
      const ArrayNetlist::Cell& cell = netlist.cells[k];
      return read(cell.row, cell.col) * v - cell.conductance * 0.81 / 4 * v * v * v;
    });
    const CellReads reads{read, {}};
    EXPECT_LT(distance(circuit.currents(inputs, {&reads, 1}), expected), 1e-11);
  }
}

}  // namespace
}  // namespace crossgrid
