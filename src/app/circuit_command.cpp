#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "crossgrid/app/command_line.hpp"
#include "crossgrid/app/commands.hpp"
#include "crossgrid/array/array_circuit.hpp"
#include "crossgrid/array/spice_netlist.hpp"
#include "crossgrid/base/error.hpp"
#include "crossgrid/base/file.hpp"
#include "crossgrid/base/json.hpp"
#include "crossgrid/core/wired_conductance.hpp"
#include "crossgrid/data/number_table.hpp"
#include "crossgrid/sweep/bare_hardware.hpp"

namespace crossgrid {

namespace {

namespace po = boost::program_options;

constexpr CommandHelp help{
    "circuit", "--conductances FILE --voltages FILE [options]",
    "Solves one array with its wires, exactly: currents into the ADCs, residuals, power; with -o all node voltages "
    "and\n"
    "branch currents. Files are NPY, or text with a line per row, numbers separated by commas. Conductances: rows x\n"
    "columns, in siemens; voltages: one per row, in volt. Parameters are those of sweep files (array.wires.*, "
    "device.*).\n"
    "With array.wires.source=separate a voltage is device.read_voltage, minus that, or 0: the row is cut off.",
    "  crossgrid circuit --conductances g.npy --voltages v.csv --set array.wires.r_row=1 --set array.wires.r_col=2\n"
    "  crossgrid circuit --conductances g.npy --voltages v.npy --set array.wires.r_col=5 -o state.json\n"
    "  analysis/plot_voltages.py state.json -o voltages.png\n"
    "  crossgrid circuit --conductances g.csv --voltages v.csv --set array.wires.r_row=1 --netlist array.cir && "
    "ngspice -b array.cir"};

/// What is asked for, in the units of the solvers: Gmax = 1 / device.r_min, device.read_voltage.
struct Request {
  LayerHardware hardware;
  MatrixD plus, minus;
  Eigen::VectorXd inputs;
  Eigen::Index unused_rows = 0;
};

LayerHardware hardware_of(const po::variables_map& values) {
  // What drives the array is given: as far as gates are concerned, inputs of one bit.
  std::vector<std::string> settings{"dac.model=quantizer", "dac.bits=1"};
  if (values.count("set")) {
    const auto& more = values["set"].as<std::vector<std::string>>();
    settings.insert(settings.end(), more.begin(), more.end());
  }
  return bare_hardware(settings);
}

MatrixD conductances_of(const std::string& path, double r_min) {
  const MatrixD siemens = read_number_table(path);
  if (siemens.minCoeff() < 0) {
    throw input_error(path, fmt::format("holds a conductance of {:g} S, expected none below 0", siemens.minCoeff()));
  }
  return siemens * r_min;
}

Eigen::VectorXd inputs_of(const std::string& path, const Request& request) {
  const MatrixD volts = read_number_table(path);
  if (volts.rows() > 1 && volts.cols() > 1) {
    throw input_error(path,
                      fmt::format("holds {} x {} numbers, expected one voltage per row", volts.rows(), volts.cols()));
  }
  Eigen::VectorXd inputs = volts.reshaped() / request.hardware.device.read_voltage;
  if (inputs.size() != request.plus.rows()) {
    throw input_error(
        path, fmt::format("holds {} voltages, but the conductances have {} rows", inputs.size(), request.plus.rows()));
  }
  if (request.hardware.array.wires.source == WireSource::separate) {
    for (const double x : inputs) {
      if (x == 0 || std::abs(std::abs(x) - 1) < 1e-12) continue;
      throw input_error(path,
                        fmt::format("holds {:g} V: with array.wires.source \"separate\" a row is at 0, "
                                    "device.read_voltage ({:g} V) or minus that",
                                    x * request.hardware.device.read_voltage, request.hardware.device.read_voltage));
    }
    return inputs.array().round();
  }
  return inputs;
}

Request request_of(const po::variables_map& values) {
  Request request;
  request.hardware = hardware_of(values);
  if (!request.hardware.array.wires.any()) {
    throw Error(ExitCode::usage,
                "circuit: say which wires resist, such as --set array.wires.r_row=1; without any, currents are "
                "plain products");
  }
  const double r_min = request.hardware.device.r_min;
  request.plus = conductances_of(values["conductances"].as<std::string>(), r_min);
  if (values.count("minus")) {
    const std::string path = values["minus"].as<std::string>();
    request.minus = conductances_of(path, r_min);
    if (request.minus.rows() != request.plus.rows() || request.minus.cols() != request.plus.cols()) {
      throw input_error(
          path, fmt::format("holds {} x {} conductances, those of --conductances are {} x {}", request.minus.rows(),
                            request.minus.cols(), request.plus.rows(), request.plus.cols()));
    }
  }
  request.inputs = inputs_of(values["voltages"].as<std::string>(), request);
  if (const auto& rows_max = request.hardware.array.rows_max) {
    request.unused_rows = std::max<Eigen::Index>(0, *rows_max - request.plus.rows());
  }
  return request;
}

Json table(const MatrixD& values, double unit) {
  Json rows = Json::array();
  for (Eigen::Index i = 0; i < values.rows(); ++i) {
    const Eigen::VectorXd row = values.row(i) * unit;
    rows.push_back(std::vector<double>(row.begin(), row.end()));
  }
  return rows;
}

std::string state_text(const CircuitState& state, bool separate, double volt, double ampere) {
  const std::string line = separate ? "supply" : "word";
  Json json;
  json["units"] = "V, A, W";
  const Eigen::VectorXd columns = state.column_currents * ampere;
  json["column_currents"] = std::vector<double>(columns.begin(), columns.end());
  json["power"] = state.power * volt * ampere;
  json["kirchhoff_residual"] = state.kirchhoff_residual, json["ohm_residual"] = state.ohm_residual;
  json[line + "_voltages"] = table(state.plus_line_voltages, volt);
  json["bit_voltages"] = table(state.bit_voltages, volt);
  json["cell_currents"] = table(state.plus_currents, ampere);
  json["bit_currents"] = table(state.bit_currents, ampere);
  if (state.minus_currents.size() > 0) {
    json["minus_" + line + "_voltages"] = table(state.minus_line_voltages, volt);
    json["minus_cell_currents"] = table(state.minus_currents, ampere);
  }
  return json.dump() + "\n";
}

void print_state(const Request& request, const CircuitState& state, double volt, double ampere) {
  const bool pairs = request.minus.size() > 0;
  fmt::print("{} rows x {} columns{}, r_min {:g} ohm, read voltage {:g} V\n", request.plus.rows(), request.plus.cols(),
             pairs ? " of interleaved pairs" : "", request.hardware.device.r_min, volt);
  fmt::print("power                {:.6g} W\n", state.power * volt * ampere);
  fmt::print("largest bit line     {:.6g} V\n", state.bit_voltages.cwiseAbs().maxCoeff() * volt);
  fmt::print("Kirchhoff residual   {:.2g} of the largest current\n", state.kirchhoff_residual);
  fmt::print("Ohm residual         {:.2g} of the largest current\n\n", state.ohm_residual);
  // What the same cells would carry between ideal wires.
  CircuitConfig ideal;
  ideal.source = request.hardware.array.wires.source;
  const ArrayCircuit plain(request.plus, request.minus, ideal, request.hardware.device);
  const Eigen::VectorXd without = plain.currents(request.inputs);
  fmt::print("{:>8}{:>18}{:>18}{:>12}\n", "column", "current [A]", "ideal wires [A]", "lost [%]");
  for (Eigen::Index j = 0; j < state.column_currents.size(); ++j) {
    const double current = state.column_currents[j], all = without[j];
    const std::string lost = all != 0 ? fmt::format("{:.2f}", 100 * (1 - current / all)) : "-";
    fmt::print("{:>8}{:>18.9g}{:>18.9g}{:>12}\n", j, current * ampere, all * ampere, lost);
  }
}

}  // namespace

int circuit_command(const Arguments& arguments) {
  po::options_description options("options");
  options.add_options()("conductances,g", po::value<std::string>(), "cells [S], rows x columns (required)")(
      "minus", po::value<std::string>(), "cells of interleaved pairs that are driven by minus the voltages [S]")(
      "voltages,v", po::value<std::string>(), "of the rows [V] (required)")(
      "set", po::value<std::vector<std::string>>()->composing(), "NAME=VALUE: a parameter, e.g. array.wires.r_row=1")(
      "output,o", po::value<std::string>(), "JSON file to write: voltages of all nodes, currents of all branches")(
      "netlist", po::value<std::string>(), "SPICE file to write: the same circuit");
  const auto values = parse_arguments(help, options, "", arguments);
  if (!values) return 0;
  for (const char* option : {"conductances", "voltages"}) {
    if (!values->count(option)) throw Error(ExitCode::usage, fmt::format("circuit: --{} FILE is missing", option));
  }
  const Request request = request_of(*values);
  const DeviceConfig& device = request.hardware.device;
  CircuitConfig config;
  config.wires = wire_resistance(request.hardware);
  config.source = request.hardware.array.wires.source;
  config.used_rows = request.hardware.array.wires.used_rows, config.unused_rows = request.unused_rows;
  const ArrayCircuit array(request.plus, request.minus, config, device);
  const double volt = device.read_voltage, ampere = volt / device.r_min;
  if (values->count("netlist")) {
    const std::string path = (*values)["netlist"].as<std::string>();
    replace_file(posix_files(), path, spice_netlist(array.netlist(request.inputs), array.law(), device.r_min, volt));
  }
  const CircuitState state = array.state(request.inputs);
  print_state(request, state, volt, ampere);
  if (values->count("output")) {
    const std::string path = (*values)["output"].as<std::string>();
    replace_file(posix_files(), path, state_text(state, config.source == WireSource::separate, volt, ampere));
    fmt::print("\nvoltages and currents written to {}; draw them with analysis/plot_voltages.py {}\n", path, path);
  }
  if (values->count("netlist")) {
    const std::string path = (*values)["netlist"].as<std::string>();
    fmt::print("netlist written to {}; solve it with ngspice -b {}\n", path, path);
  }
  return 0;
}

}  // namespace crossgrid
