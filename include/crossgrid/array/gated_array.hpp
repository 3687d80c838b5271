#pragma once

#include <Eigen/Core>
#include <vector>

#include "crossgrid/array/wire_segments.hpp"
#include "crossgrid/base/matrix.hpp"

namespace crossgrid {

/// Cells that their inputs gate (physics.md section 5, separate source): a row whose input is 0 is cut off. The current
/// comes down a supply line beside each bit line; in units of Gmax, 1/Gmax and the read voltage.
struct GatedCells {
  MatrixD plus;   ///< rows x cols, >= 0
  MatrixD minus;  ///< of interleaved pairs, which have a supply line of their own at -V and meet the same bit line; or
                  ///< empty
  std::vector<double> supply_segments;  ///< [rows]: of every supply line, above each row; the source's with the first
  std::vector<double> bit_segments;     ///< [rows]: of every bit line, below each row; the ADC's with the last
};

/// unused_rows: of the array, beyond those of the matrix.
GatedCells gated_cells(MatrixD plus, MatrixD minus, const WireResistance& wires, Eigen::Index unused_rows = 0,
                       UsedRows used = UsedRows::top);

/// Currents into the ADCs (cols) for one input pattern. gates: rows numbers of {-1, 0, 1}; the source of a negative
/// input is -V at the same end of the same line (+V for the - cells of pairs), of its cell alone. Each column is a
/// ladder, solved directly: O(rows), vectors across columns.
Eigen::VectorXd gated_currents(const GatedCells& array, const Eigen::VectorXd& gates);

/// The same with sources beside the cells, and what is in the cells.
struct GatedState {
  Eigen::VectorXd currents;              ///< cols: into the ADCs
  MatrixD plus_voltages, plus_currents;  ///< rows x cols: across the cells and through them; 0 where rows are cut off
  MatrixD minus_voltages, minus_currents;
};
GatedState gated_state(const GatedCells& array, const Eigen::VectorXd& gates, const MatrixD& plus_injected = {},
                       const MatrixD& minus_injected = {});

}  // namespace crossgrid
