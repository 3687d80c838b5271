#pragma once

#include <cstdint>
#include <vector>

#include "crossgrid/array/crossbar.hpp"
#include "crossgrid/array/transfer_matrix.hpp"
#include "crossgrid/base/matrix.hpp"
#include "crossgrid/circuit/circuit_adc.hpp"
#include "crossgrid/core/conversion_scheme.hpp"
#include "crossgrid/core/layer_hardware.hpp"
#include "crossgrid/core/partition.hpp"
#include "crossgrid/core/programmed_cells.hpp"

namespace crossgrid {

/// Cells that are multiplied together: a weight slice (or all of them, where they collapse), both sides of its pairs or
/// one of them.
struct CellPlane {
  int slice = 0;     ///< which slice's converter it meets
  double scale = 1;  ///< weight units per unit of current; negative for the - side
};

/// A weight matrix on crossbars, one trial. With x_i the inputs after the DAC (normalised) and I the currents of an
/// array after its ADC:
///   y_j = input_scale.unit * (sum over planes and row groups of plane.scale * I_j - offset_coefficient * sum_i x_i)
/// where unit columns' currents are taken off their array's other columns. With offset cells that is a small difference
/// of large numbers: sums and scales belong in double. Offset cells without a converter have the offset taken off their
/// conductances, and offset_coefficient is 0.
///
/// Analog columns are the outputs in order, each array's unit column (where there are any) before its first one.
struct ProgrammedMatrix {
  int rows = 0, cols = 0;  ///< inputs (rows of a bias with them) and outputs
  int columns = 0;         ///< analog columns
  std::vector<RowGroup> groups;
  std::vector<Part> col_parts;  ///< outputs by array
  ConversionScheme scheme;
  std::vector<CellPlane> planes;
  std::vector<Crossbar> arrays;   ///< [plane][row group][column array]
  double offset_coefficient = 0;  ///< weight units; 0 where nothing is to be subtracted
  double conductance_step = 0;    ///< WeightMapping::conductance_step
  NoisePath noise = NoisePath::none;
  double clip_probability = 0;  ///< of the cell whose reads most often meet a limit; where noise may be lumped

  const Crossbar& array(int plane, int group, int col_part) const {
    return arrays[(static_cast<std::size_t>(plane) * groups.size() + static_cast<std::size_t>(group)) *
                      col_parts.size() +
                  static_cast<std::size_t>(col_part)];
  }
};

/// Programmed cells on their arrays, ready to be multiplied. With wires, what arrays conduct is their transfer matrices
/// (wired_conductances), which `loop` shares out.
ProgrammedMatrix assemble(const ProgrammedCells& cells, const LayerHardware& hardware, const LayerStreams& streams,
                          const ParallelLoop& loop = one_by_one);

/// Maps `weights` (outputs x inputs) to conductances, programs every cell with its error (program_cells), splits them,
/// prepares read noise. `layer` is the layer's index in the network.
ProgrammedMatrix program_matrix(const Matrix& weights, const LayerHardware& hardware, std::uint64_t seed,
                                std::uint32_t trial, std::uint32_t layer, const ParallelLoop& loop = one_by_one);

/// The same without random errors: calibration's chip.
ProgrammedMatrix nominal_matrix(const Matrix& weights, const LayerHardware& hardware,
                                const ParallelLoop& loop = one_by_one);

/// Where the errors of the converters behind one array come from. plane: 2 * weight slice, + 1 for - cells that have
/// converters of their own; row_array and col_array count the arrays of the matrix (below 8192 each).
AdcStreams adc_streams(const LayerStreams& streams, int plane, int row_array, int col_array);

/// The rule of device.read_noise.sampling "auto" (physics.md section 4): lumped noise is exact where it is normal and
/// no cell meets a limit, and normal by the central limit theorem for 64 driven rows or more. One choice for all arrays
/// of a matrix.
bool lumped_noise_is_accurate(DrawLaw law, double clip_probability, int rows);
/// How far the distribution function of an output's noise, drawn cell by cell, is from the normal one that is drawn in
/// its place, at most: Berry-Esseen with the constant 0.56 of Shevtsova (2010), for rows whose terms sigma(g) x are
/// equal and cells at the limit g = 0, where E|e|^3 / sigma^3 of a clipped error is largest (1.985; 1.596 where nothing
/// clips).
double lumped_noise_bound(int rows);
int smallest_group(const std::vector<RowGroup>& groups);

/// Whether a converter may see negative currents: decides RangeRule::maximum and granular.
bool bipolar_currents(const LayerHardware& hardware, bool signed_inputs);

}  // namespace crossgrid
