#pragma once

#include <memory>
#include <vector>

#include "crossgrid/array/transfer_matrix.hpp"
#include "crossgrid/array/wire_segments.hpp"

namespace crossgrid {

/// Voltages at every node of an array, and the currents that its solver carries; in units of the drivers' voltage unit,
/// and of Gmax times it.
struct ArrayState {
  MatrixD word_voltages, bit_voltages;  ///< rows x cols: at both ends of each cell
  MatrixD cell_currents;                ///< rows x cols: from word to bit line
  MatrixD row_currents;                 ///< rows x cols: in the word line's segment left of each cell
  MatrixD col_currents;                 ///< rows x cols: in the bit line's segment below each cell
};

/// Adds up segments' currents from the cells' and node voltages from segments', from the drivers and the ADCs on.
ArrayState array_state(const WiredCells& array, const Eigen::VectorXd& drivers, const MatrixD& cell_currents);

/// A cell that conducts something else.
struct CellChange {
  Eigen::Index row = 0, col = 0;
  double conductance = 0;
};

/// An array with wires (physics.md section 5, input source, linear cells) that keeps what solving it found, so that
/// more can be asked than its transfer matrix: sources inside it, the voltages of its cells, cells that change. Takes
/// two to three times as long to solve as transfer_matrix() and some 130 doubles per cell. Error(bad_input) where that
/// would not fit into the memory that is free.
class WiredCircuit {
 public:
  explicit WiredCircuit(WiredCells array, const ParallelLoop& loop = one_by_one);
  ~WiredCircuit();
  WiredCircuit(WiredCircuit&&) noexcept;

  const WiredCells& array() const { return array_; }
  /// cols x rows.
  MatrixD transfer() const;

  /// What drives circuits, one per column; empty: 0.
  struct Sources {
    MatrixD drivers;   ///< rows x circuits, voltages
    MatrixD adcs;      ///< cols x circuits, voltages at the ADCs
    MatrixD injected;  ///< (rows cols) x circuits, currents beside the cells, from word to bit line
  };
  struct Response {
    MatrixD driver_currents;               ///< rows x circuits, into the array
    MatrixD adc_currents;                  ///< cols x circuits, out of it
    MatrixD cell_voltages, cell_currents;  ///< (rows cols) x circuits; currents with the injected ones
  };
  Response solve(const Sources& sources) const;
  /// The same without cells' voltages and currents.
  MatrixD adc_currents(const Sources& sources) const;

  /// All nodes, for the drivers' voltages.
  ArrayState state(const Eigen::VectorXd& drivers) const;

  /// What the current of one output grows by per conductance of each cell, for the drivers' voltages: rows x cols. By
  /// reciprocity the voltage of the cell times the one that a volt at the output would put across it.
  MatrixD sensitivities(Eigen::Index output, const Eigen::VectorXd& drivers) const;

  /// The transfer matrix with other conductances in k distinct cells, by the Woodbury identity: O(k n^2). Beyond n / 32
  /// cells solving anew is faster.
  MatrixD changed_transfer(const std::vector<CellChange>& changes) const;

 private:
  WiredCells array_;
  struct Kept;
  std::unique_ptr<const Kept> kept_;
};

}  // namespace crossgrid
