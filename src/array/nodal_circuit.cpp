#include "crossgrid/array/nodal_circuit.hpp"

#include <limits>

#include "crossgrid/base/error.hpp"

namespace crossgrid {
namespace {

constexpr int ground = std::numeric_limits<int>::min();
bool is_node(int number) {
  return number >= 0;
}

}  // namespace

NodalCircuit::NodalCircuit(const WiredCells& array) : array_(array) {
  const Eigen::Index rows = array_.cells.rows(), cols = array_.cells.cols();
  const auto& along_row = array_.row_segments;
  const auto& along_col = array_.col_segments;
  ends_.resize(static_cast<std::size_t>(rows * cols));
  const auto at = [&](Eigen::Index i, Eigen::Index j) -> Ends& {
    return ends_[static_cast<std::size_t>(i * cols + j)];
  };
  for (Eigen::Index i = 0; i < rows; ++i) {
    int before = -1 - static_cast<int>(i);
    for (Eigen::Index j = 0; j < cols; ++j) {
      if (along_row[static_cast<std::size_t>(j)] > 0) before = nodes_++;
      at(i, j).word = before;
    }
  }
  for (Eigen::Index j = 0; j < cols; ++j) {
    int below = ground;
    for (Eigen::Index i = rows; i-- > 0;) {
      if (along_col[static_cast<std::size_t>(i)] > 0) below = nodes_++;
      at(i, j).bit = below;
    }
  }

  std::vector<Eigen::Triplet<double>> entries;
  const auto join = [&](int a, int b, double conductance) {
    if (a == b || conductance == 0) return;
    if (is_node(a)) entries.emplace_back(a, a, conductance);
    if (is_node(b)) entries.emplace_back(b, b, conductance);
    if (is_node(a) && is_node(b)) entries.emplace_back(std::max(a, b), std::min(a, b), -conductance);
  };
  for (Eigen::Index i = 0; i < rows; ++i) {
    for (Eigen::Index j = 0; j < cols; ++j) {
      const Ends& own = at(i, j);
      join(own.word, own.bit, array_.cells(i, j));
      const double r = along_row[static_cast<std::size_t>(j)], c = along_col[static_cast<std::size_t>(i)];
      if (r > 0) join(own.word, j == 0 ? -1 - static_cast<int>(i) : at(i, j - 1).word, 1 / r);
      if (c > 0) join(own.bit, i + 1 == rows ? ground : at(i + 1, j).bit, 1 / c);
    }
  }
  if (nodes_ == 0) return;
  Eigen::SparseMatrix<double> conductances(nodes_, nodes_);
  conductances.setFromTriplets(entries.begin(), entries.end());
  factor_.compute(conductances);
  if (factor_.info() != Eigen::Success) throw Error(ExitCode::internal, "a circuit of wires could not be factored");
}

double NodalCircuit::voltage(int node, const Eigen::VectorXd& nodes, const Eigen::VectorXd& drivers) const {
  if (node == ground) return 0;
  return is_node(node) ? nodes[node] : drivers[-1 - node];
}

Eigen::VectorXd NodalCircuit::currents(const Eigen::VectorXd& voltages) const {
  const Eigen::Index rows = array_.cells.rows(), cols = array_.cells.cols();
  Eigen::VectorXd drive = Eigen::VectorXd::Zero(nodes_), nodes;
  for (Eigen::Index i = 0; i < rows; ++i) {
    if (array_.row_segments.front() > 0) drive[ends(i, 0).word] += voltages[i] / array_.row_segments.front();
    for (Eigen::Index j = 0; j < cols; ++j) {
      // Cells (and, behind ideal segments at the driver, wires) that hang on a driver itself.
      if (is_node(ends(i, j).word)) {
        const double r = array_.row_segments[static_cast<std::size_t>(j)];
        if (j > 0 && r > 0 && !is_node(ends(i, j - 1).word)) drive[ends(i, j).word] += voltages[i] / r;
      } else if (is_node(ends(i, j).bit)) {
        drive[ends(i, j).bit] += voltages[i] * array_.cells(i, j);
      }
    }
  }
  if (nodes_ > 0) nodes = factor_.solve(drive);
  // All that enters a bit line leaves it at its ADC.
  Eigen::VectorXd currents = Eigen::VectorXd::Zero(cols);
  for (Eigen::Index i = 0; i < rows; ++i) {
    for (Eigen::Index j = 0; j < cols; ++j) {
      const double across = voltage(ends(i, j).word, nodes, voltages) - voltage(ends(i, j).bit, nodes, voltages);
      currents[j] += array_.cells(i, j) * across;
    }
  }
  return currents;
}

}  // namespace crossgrid
