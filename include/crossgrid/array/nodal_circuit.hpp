#pragma once

#include <Eigen/SparseCholesky>

#include "crossgrid/array/wire_segments.hpp"

namespace crossgrid {

/// An array solved as a whole circuit, one input vector at a time: Kirchhoff's current law at every node, by a sparse
/// Cholesky factor. The reference for transfer_matrix, which it shares nothing with. Loses the digits of nearly ideal
/// wires (1/resistance beside conductances); ideal ones join their nodes.
class NodalCircuit {
 public:
  explicit NodalCircuit(const WiredCells& array);

  /// Currents into the ADCs (cols) for the drivers' voltages (rows).
  Eigen::VectorXd currents(const Eigen::VectorXd& voltages) const;

 private:
  /// Of cell (row, col): numbers of its nodes on the word line and the bit line. At a driver: -1 - row; at an ADC:
  /// `ground`.
  struct Ends {
    int word, bit;
  };
  const Ends& ends(Eigen::Index row, Eigen::Index col) const {
    return ends_[static_cast<std::size_t>(row * array_.cells.cols() + col)];
  }
  double voltage(int node, const Eigen::VectorXd& nodes, const Eigen::VectorXd& drivers) const;

  WiredCells array_;
  std::vector<Ends> ends_;
  int nodes_ = 0;
  Eigen::SimplicialLDLT<Eigen::SparseMatrix<double>> factor_;
};

}  // namespace crossgrid
