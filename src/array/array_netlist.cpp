#include "crossgrid/array/array_netlist.hpp"

#include <fmt/format.h>

#include <utility>

namespace crossgrid {
namespace {

int add_node(ArrayNetlist& netlist, std::string name) {
  netlist.nodes.push_back({std::move(name), false, 0});
  return static_cast<int>(netlist.nodes.size()) - 1;
}
int add_fixed(ArrayNetlist& netlist, std::string name, double voltage) {
  netlist.nodes.push_back({std::move(name), true, voltage});
  return static_cast<int>(netlist.nodes.size()) - 1;
}

/// The node beyond a segment that goes on from `node`.
int beyond(ArrayNetlist& netlist, int node, double resistance, const std::string& name) {
  if (resistance == 0) return node;
  const int next = add_node(netlist, name);
  netlist.wires.push_back({"wire_" + name, node, next, resistance});
  return next;
}

/// Nodes of all bit lines, rows x cols, from the ADCs up.
std::vector<int> bit_lines(ArrayNetlist& netlist, const std::vector<double>& segments, Eigen::Index cols) {
  const auto rows = static_cast<Eigen::Index>(segments.size());
  std::vector<int> nodes(static_cast<std::size_t>(rows * cols));
  for (Eigen::Index j = 0; j < cols; ++j) {
    int node = add_fixed(netlist, fmt::format("out{}", j), 0);
    netlist.outputs.push_back(node);
    for (Eigen::Index i = rows; i-- > 0;) {
      node = beyond(netlist, node, segments[static_cast<std::size_t>(i)], fmt::format("bit{}_{}", i, j));
      nodes[static_cast<std::size_t>(i * cols + j)] = node;
    }
  }
  return nodes;
}

}  // namespace

ArrayNetlist netlist_of(const WiredCells& array, const Eigen::VectorXd& drivers) {
  const Eigen::Index rows = array.cells.rows(), cols = array.cells.cols();
  ArrayNetlist netlist;
  const std::vector<int> bits = bit_lines(netlist, array.col_segments, cols);
  for (Eigen::Index i = 0; i < rows; ++i) {
    int node = add_fixed(netlist, fmt::format("in{}", i), drivers[i]);
    netlist.sources.push_back(node);
    for (Eigen::Index j = 0; j < cols; ++j) {
      node = beyond(netlist, node, array.row_segments[static_cast<std::size_t>(j)], fmt::format("word{}_{}", i, j));
      netlist.cells.push_back({fmt::format("cell{}_{}", i, j), node, bits[static_cast<std::size_t>(i * cols + j)],
                               array.cells(i, j), 0, i, j});
    }
  }
  return netlist;
}

ArrayNetlist netlist_of(const GatedCells& array, const Eigen::VectorXd& gates) {
  const Eigen::Index rows = array.plus.rows(), cols = array.plus.cols();
  const bool pairs = array.minus.size() > 0;
  ArrayNetlist netlist;
  const std::vector<int> bits = bit_lines(netlist, array.bit_segments, cols);
  const auto supply_lines = [&](double voltage, const char* name) {
    std::vector<int> nodes(static_cast<std::size_t>(rows * cols));
    for (Eigen::Index j = 0; j < cols; ++j) {
      int node = add_fixed(netlist, fmt::format("{}{}", name, j), voltage);
      netlist.sources.push_back(node);
      for (Eigen::Index i = 0; i < rows; ++i) {
        node = beyond(netlist, node, array.supply_segments[static_cast<std::size_t>(i)],
                      fmt::format("{}{}_{}", name, i, j));
        nodes[static_cast<std::size_t>(i * cols + j)] = node;
      }
    }
    return nodes;
  };
  const std::vector<int> plus = supply_lines(1, "plus"), minus = pairs ? supply_lines(-1, "minus") : std::vector<int>();
  for (Eigen::Index i = 0; i < rows; ++i) {
    if (gates[i] == 0) continue;
    for (Eigen::Index j = 0; j < cols; ++j) {
      const auto at = static_cast<std::size_t>(i * cols + j);
      netlist.cells.push_back(
          {fmt::format("cell{}_{}", i, j), plus[at], bits[at], array.plus(i, j), gates[i] - 1, i, j});
      if (!pairs) continue;
      netlist.cells.push_back(
          {fmt::format("minus_cell{}_{}", i, j), minus[at], bits[at], array.minus(i, j), 1 - gates[i], i, j, true});
    }
  }
  return netlist;
}

}  // namespace crossgrid
