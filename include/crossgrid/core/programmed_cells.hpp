#pragma once

#include <vector>

#include "crossgrid/base/matrix.hpp"
#include "crossgrid/core/cell_plane.hpp"
#include "crossgrid/core/layer_hardware.hpp"
#include "crossgrid/core/weight_mapping.hpp"

namespace crossgrid {

/// Planes of cells whose numbers key random streams (LayerStreams).
constexpr int plane_of(int slice, bool minus) {
  return 2 * slice + (minus ? 1 : 0);
}
constexpr int unit_plane_of(int slice) {
  return 64 + slice;
}

/// Cells of one weight slice of the whole matrix, normalised conductances, rows x cols.
struct SliceCells {
  Matrix plus;   ///< the only ones of offset cells
  Matrix minus;  ///< empty for offset cells
  Matrix unit;   ///< rows x column arrays; empty without unit columns
};

/// A matrix's cells as they were programmed, one trial: before they are shared out to arrays.
struct ProgrammedCells {
  WeightMapping mapping;
  std::vector<Part> col_parts;  ///< outputs by array
  std::vector<SliceCells> slices;
  std::vector<SliceCells> noise_sigma;  ///< of read noise, where the conductance alone does not give it; or empty
  /// Global drift compensation (Joshi et al. 2020), by slice, row arrays x column arrays: what all cells of an array
  /// conducted together when they were programmed (without errors, with the same faults) over what they conduct now.
  /// Multiplies the currents before the ADC, as if its reference followed the drift. Empty: none.
  std::vector<MatrixD> gains;
};

/// Maps `weights` (outputs x inputs) to conductances and programs every cell with its error. A cell's draw is counted
/// by its place in the whole matrix (plane, row, column), so the same trial is the same chip whatever the array size:
/// comparisons over rows_max see the partition only. Unit columns are planes of their own.
/// Error(bad_input) for weights that are not finite.
ProgrammedCells program_cells(const Matrix& weights, const LayerHardware& hardware, const LayerStreams& streams);

/// Writes `block` (outputs x inputs, in the network's units, limited to what the first programming allowed) over the
/// cells from (output_first, input_first) on: errors are drawn anew there and nowhere else. streams.write counts.
/// Error(internal) for a block that does not fit; not with drift compensation, which is of one time.
void reprogram(ProgrammedCells& cells, const LayerHardware& hardware, const LayerStreams& streams, int output_first,
               int input_first, const Matrix& block);

/// The weights that the cells hold, errors, levels and clipping included: inputs x outputs, in the network's units.
MatrixD held_weights(const ProgrammedCells& cells);

/// Mean of all cells, unit columns with them, in units of Gmax.
double mean_conductance(const ProgrammedCells& cells);

/// The same cells seen from their outputs: products with the matrix's transpose. Not for unit columns, which are
/// columns.
ProgrammedCells transposed(const ProgrammedCells& cells, const LayerHardware& hardware);

}  // namespace crossgrid
