#pragma once

#include <gtest/gtest.h>

#include <string>

#include "crossgrid/array/array_circuit.hpp"
#include "random_array.hpp"

namespace crossgrid::test {

/// Random arrays of every topology; visit(circuit, inputs, name).
template <class Visit>
void for_each_topology(Eigen::Index rows, Eigen::Index cols, const WireResistance& wires, const DeviceConfig& device,
                       double low, unsigned seed, const Visit& visit) {
  RandomArrays random(seed);
  for (const WireSource source : {WireSource::input, WireSource::separate}) {
    for (const bool pairs : {false, true}) {
      CircuitConfig config;
      config.wires = wires, config.source = source;
      config.unused_rows = source == WireSource::separate ? 5 : 0;
      const ArrayCircuit circuit(random.cells(rows, cols, low), pairs ? random.cells(rows, cols, low) : MatrixD(),
                                 config, device);
      const Eigen::VectorXd inputs = source == WireSource::input ? random.voltages(rows) : random.gates(rows, true);
      SCOPED_TRACE(std::string(source == WireSource::input ? "input" : "separate") + (pairs ? ", pairs" : ""));
      visit(circuit, inputs);
    }
  }
}

}  // namespace crossgrid::test
