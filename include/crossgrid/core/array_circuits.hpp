#pragma once

#include <vector>

#include "crossgrid/core/layer_hardware.hpp"
#include "crossgrid/core/programmed_cells.hpp"
#include "crossgrid/core/programmed_matrix.hpp"

namespace crossgrid {

/// The arrays of a matrix where each MVM is a circuit of its own (LayerHardware::solves_circuits): by plane of
/// matrix.planes, row array, column array. Needs the matrix's planes, scheme and column parts.
std::vector<ArrayCircuits> array_circuits(const ProgrammedMatrix& matrix, const ProgrammedCells& cells,
                                          const std::vector<Part>& row_parts, const LayerHardware& hardware,
                                          const ParallelLoop& loop);

}  // namespace crossgrid
