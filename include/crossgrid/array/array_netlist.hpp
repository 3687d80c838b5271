#pragma once

#include <Eigen/Core>
#include <string>
#include <vector>

#include "crossgrid/array/gated_array.hpp"
#include "crossgrid/array/wire_segments.hpp"

namespace crossgrid {

/// An array with wires, element by element; in units of Gmax, 1/Gmax and the read voltage. An ideal segment makes its
/// ends one node.
struct ArrayNetlist {
  struct Node {
    std::string name;
    bool fixed = false;  ///< a source or an ADC holds it
    double voltage = 0;  ///< where it is fixed
  };
  struct Wire {
    std::string name;
    int from, to;
    double resistance;  ///< > 0
  };
  /// Carries conductance * v with v = voltage(from) + source - voltage(to), or what a nonlinear device carries at v.
  struct Cell {
    std::string name;
    int from, to;
    double conductance;
    double source;          ///< in series
    Eigen::Index row, col;  ///< of the array's cells; of pairs of gated cells, of either side's
    bool minus = false;     ///< gated: of the - line
  };
  std::vector<Node> nodes;
  std::vector<int> sources;  ///< nodes: word lines' drivers from the top, or ends of supply lines
  std::vector<int> outputs;  ///< nodes: bit lines' ADCs, which are grounds of their own
  std::vector<Wire> wires;
  std::vector<Cell>
      cells;  ///< by row, then column; of gated arrays only those of rows that are driven, pairs' + before -
};

/// drivers: one voltage per word line.
ArrayNetlist netlist_of(const WiredCells& array, const Eigen::VectorXd& drivers);
/// gates: rows numbers of {-1, 0, 1}. Supply lines end at sources of +1 (pairs' - lines: -1), and cells of negative
/// inputs have what is missing in series.
ArrayNetlist netlist_of(const GatedCells& array, const Eigen::VectorXd& gates);

}  // namespace crossgrid
