#pragma once

#include <Eigen/SparseCholesky>
#include <functional>
#include <vector>

#include "crossgrid/array/array_netlist.hpp"

namespace crossgrid {

/// A circuit solved as a whole: Kirchhoff's current law at every node, by a sparse Cholesky factor. The reference for
/// WiredCircuit and the gated ladders, which it shares nothing with. Loses the digits of nearly ideal wires
/// (1/resistance beside conductances).
class NodalCircuit {
 public:
  explicit NodalCircuit(ArrayNetlist netlist);

  /// Currents into the ADCs with linear cells, for the voltages of the netlist's sources (or its own).
  Eigen::VectorXd currents(const Eigen::VectorXd& sources) const;
  Eigen::VectorXd currents() const;
  /// What the currents become, to first order, where the netlist's cells conduct more by `changes`.
  Eigen::VectorXd first_order_currents(const Eigen::VectorXd& changes) const;

  /// The current of a cell of the netlist at a voltage across it.
  using CellLaw = std::function<double(std::size_t cell, double voltage)>;
  /// The same with such cells: Newton's method with slopes from differences, from the linear solution on.
  /// Error(internal) where it does not converge.
  Eigen::VectorXd nonlinear_currents(const CellLaw& law) const;

 private:
  Eigen::VectorXd own_sources() const;

  using Factor = Eigen::SimplicialLDLT<Eigen::SparseMatrix<double>>;
  /// Cells as a conductance and a current beside it, each.
  struct Cells {
    Eigen::VectorXd conductances, beside;
  };
  Eigen::SparseMatrix<double> node_matrix(const Eigen::VectorXd& conductances) const;
  /// Voltages of all nodes.
  Eigen::VectorXd voltages(const Factor& factor, const Cells& cells, const Eigen::VectorXd& sources) const;
  Eigen::VectorXd across(const Eigen::VectorXd& voltages) const;
  Eigen::VectorXd into_outputs(const Eigen::VectorXd& voltages, const Eigen::VectorXd& cell_currents) const;

  ArrayNetlist netlist_;
  std::vector<int> unknown_;  ///< [node]: its number among those not fixed, or -1
  int unknowns_ = 0;
  Eigen::VectorXd conductances_;
  Factor factor_;
};

}  // namespace crossgrid
