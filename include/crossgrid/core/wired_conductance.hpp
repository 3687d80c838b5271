#pragma once

#include <vector>

#include "crossgrid/array/transfer_matrix.hpp"
#include "crossgrid/core/layer_hardware.hpp"
#include "crossgrid/core/programmed_cells.hpp"

namespace crossgrid {

/// Resistances in units of the cells' 1 / Gmax.
WireResistance wire_resistance(const LayerHardware& hardware);

/// What the ADCs of arrays with wires see of their cells: by slice, the entries of each array's transfer matrix in the
/// places of its cells, so that currents are still sums of inputs times "conductances". row_parts: inputs by array.
/// Rows that are not driven are held at 0 V. Plus and minus cells of interleaved pairs share bit lines, others are
/// arrays of their own; a unit column is the first of its array.
std::vector<SliceCells> wired_conductances(std::vector<SliceCells> cells, const std::vector<Part>& row_parts,
                                           const std::vector<Part>& col_parts, const LayerHardware& hardware,
                                           const ParallelLoop& loop);

}  // namespace crossgrid
