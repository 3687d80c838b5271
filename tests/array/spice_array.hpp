#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "crossgrid/array/transfer_matrix.hpp"

/// Arrays with wires as SPICE netlists, solved by ngspice.
namespace crossgrid::test {

inline bool has_ngspice() {
  return std::system("command -v ngspice > /dev/null 2>&1") == 0;
}

/// A cell at full conductance has this many ohm: ngspice takes resistances below a milliohm for mistakes.
constexpr double r_min = 1e4;

/// One word line's or bit line's nodes; an ideal segment makes two of them one.
inline std::string netlist(const WiredCells& array, const Eigen::VectorXd& voltages) {
  const Eigen::Index rows = array.cells.rows(), cols = array.cells.cols();
  std::string text = "* array with wires\n.options gmin=0 reltol=1e-9\n";
  std::vector<std::string> word(static_cast<std::size_t>(rows)), bit(static_cast<std::size_t>(cols));
  std::vector<std::string> words(static_cast<std::size_t>(rows * cols)), bits = words;
  const auto segment = [&](std::string& node, const std::string& next, double ohm) {
    if (ohm == 0) return;
    text += fmt::format("R{0} {1} {0} {2:.17g}\n", next, node, ohm * r_min);
    node = next;
  };
  for (Eigen::Index i = 0; i < rows; ++i) {
    std::string node = fmt::format("in{}", i);
    text += fmt::format("Vin{0} in{0} 0 dc {1:.17g}\n", i, voltages[i]);
    for (Eigen::Index j = 0; j < cols; ++j) {
      segment(node, fmt::format("w{}_{}", i, j), array.row_segments[static_cast<std::size_t>(j)]);
      words[static_cast<std::size_t>(i * cols + j)] = node;
    }
  }
  for (Eigen::Index j = 0; j < cols; ++j) {
    std::string node = fmt::format("out{}", j);
    text += fmt::format("Vout{0} out{0} 0 dc 0\n", j);
    for (Eigen::Index i = rows; i-- > 0;) {
      segment(node, fmt::format("b{}_{}", i, j), array.col_segments[static_cast<std::size_t>(i)]);
      bits[static_cast<std::size_t>(i * cols + j)] = node;
    }
  }
  for (Eigen::Index k = 0; k < rows * cols; ++k) {
    const double g = array.cells(k / cols, k % cols);
    const auto at = static_cast<std::size_t>(k);
    if (g > 0) text += fmt::format("Rcell{} {} {} {:.17g}\n", k, words[at], bits[at], r_min / g);
  }
  text += ".control\nset numdgt=15\nop\n";
  for (Eigen::Index j = 0; j < cols; ++j) text += fmt::format("print i(vout{})\n", j);
  return text + "quit\n.endc\n.end\n";
}

/// Currents into the ADCs in units of 1 V / r_min, from ngspice in batch mode.
inline Eigen::VectorXd spice_currents(const WiredCells& array, const Eigen::VectorXd& voltages) {
  std::string folder = (std::filesystem::temp_directory_path() / "crossgrid-spice-XXXXXX").string();
  EXPECT_NE(mkdtemp(folder.data()), nullptr);
  std::ofstream(folder + "/array.cir") << netlist(array, voltages);
  EXPECT_EQ(std::system(("ngspice -b " + folder + "/array.cir > " + folder + "/out 2>&1").c_str()), 0) << folder;
  Eigen::VectorXd currents = Eigen::VectorXd::Constant(array.cells.cols(), std::nan(""));
  std::ifstream out(folder + "/out");
  for (std::string line; std::getline(out, line);) {
    int column = 0;
    double current = 0;
    if (std::sscanf(line.c_str(), "i(vout%d) = %lf", &column, &current) == 2) currents[column] = current * r_min;
  }
  std::filesystem::remove_all(folder);
  return currents;
}

/// An array apart and one of interleaved pairs, with random cells (some of them 0) and voltages: T against ngspice.
inline void compare_with_spice(Eigen::Index size, const WireResistance& wires, unsigned seed) {
  std::mt19937 random(seed);
  const auto uniform = [&](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random);
  };
  MatrixD plus(size, size + 1), minus(size, size + 1);
  for (double& g : plus.reshaped()) g = std::max(0.0, uniform(-0.2, 1));
  for (double& g : minus.reshaped()) g = std::max(0.0, uniform(-0.2, 1));
  for (const WiredCells& array : {wired_cells(plus, wires), interleaved_cells(plus, minus, wires)}) {
    Eigen::VectorXd voltages(array.cells.rows());
    for (double& v : voltages) v = uniform(-1, 1);
    const Eigen::VectorXd found = transfer_matrix(array) * voltages, expected = spice_currents(array, voltages);
    const double largest = expected.cwiseAbs().maxCoeff();
    EXPECT_LT((found - expected).cwiseAbs().maxCoeff(), 1e-9 * largest) << size << " rows";
    WiredCells other = array;
    other.col_segments.back() *= 1.001;
    EXPECT_GT((transfer_matrix(other) * voltages - expected).cwiseAbs().maxCoeff(), 1e-7 * largest) << "another wire";
  }
}

}  // namespace crossgrid::test
