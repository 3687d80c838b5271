#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "crossgrid/array/array_circuit.hpp"
#include "crossgrid/array/spice_netlist.hpp"
#include "random_array.hpp"

/// Arrays with wires, solved by ngspice.
namespace crossgrid::test {

inline bool has_ngspice() {
  return std::system("command -v ngspice > /dev/null 2>&1") == 0;
}

/// A cell at full conductance has this many ohm: ngspice takes resistances below a milliohm for mistakes.
constexpr double r_min = 1e4;

/// Currents into the ADCs in units of the read voltage over r_min, from ngspice in batch mode.
inline Eigen::VectorXd spice_currents(const ArrayCircuit& array, const Eigen::VectorXd& inputs, double read_voltage) {
  std::string folder = (std::filesystem::temp_directory_path() / "crossgrid-spice-XXXXXX").string();
  EXPECT_NE(mkdtemp(folder.data()), nullptr);
  const ArrayNetlist netlist = array.netlist(inputs);
  std::ofstream(folder + "/array.cir") << spice_netlist(netlist, array.law(), r_min, read_voltage);
  EXPECT_EQ(std::system(("ngspice -b " + folder + "/array.cir > " + folder + "/out 2>&1").c_str()), 0) << folder;
  Eigen::VectorXd currents = Eigen::VectorXd::Constant(static_cast<Eigen::Index>(netlist.outputs.size()), std::nan(""));
  std::ifstream out(folder + "/out");
  for (std::string line; std::getline(out, line);) {
    int column = 0;
    double current = 0;
    if (std::sscanf(line.c_str(), "i(vout%d) = %lf", &column, &current) == 2) {
      currents[column] = current * r_min / read_voltage;
    }
  }
  std::filesystem::remove_all(folder);
  return currents;
}

/// Random arrays of every topology, with random cells (some of them 0) and inputs, against ngspice.
inline void compare_with_spice(Eigen::Index size, const WireResistance& wires, IvModel iv, unsigned seed) {
  RandomArrays random(seed);
  DeviceConfig device;
  device.iv = iv, device.read_voltage = 0.9, device.r_min = r_min;
  // The published tolerance of ngspice's own iterations on nonlinear cells.
  const double tolerance = iv == IvModel::linear ? 1e-9 : 1e-8;
  for (const bool pairs : {false, true}) {
    for (const WireSource source : {WireSource::input, WireSource::separate}) {
      CircuitConfig config;
      config.wires = wires, config.source = source;
      config.unused_rows = source == WireSource::separate ? 3 : 0;
      config.used_rows = pairs ? UsedRows::top : UsedRows::bottom;
      const MatrixD plus = random.cells(size, size + 1), minus = pairs ? random.cells(size, size + 1) : MatrixD();
      const Eigen::VectorXd inputs = source == WireSource::input ? random.voltages(size) : random.gates(size, true);
      const ArrayCircuit array(plus, minus, config, device);
      const Eigen::VectorXd expected = spice_currents(array, inputs, device.read_voltage);
      EXPECT_LT(distance(array.currents(inputs), expected), tolerance) << size << " rows, pairs " << pairs;
      CircuitConfig other = config;
      other.wires.col *= 1.001;
      EXPECT_GT(distance(ArrayCircuit(plus, minus, other, device).currents(inputs), expected), 1e-6) << "another wire";
    }
  }
}

}  // namespace crossgrid::test
