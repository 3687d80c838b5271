#pragma once

#include <cstdint>
#include <vector>

#include "crossgrid/array/crossbar.hpp"
#include "crossgrid/base/matrix.hpp"
#include "crossgrid/core/layer_hardware.hpp"

namespace crossgrid {

/// A weight matrix on crossbars, one trial. With x_i the inputs after the DAC (normalised) and I the currents of an
/// array after its ADC:
///   y_j = input_scale.unit * (output_scale * sum over row blocks I_j - offset_coefficient * sum_i x_i)
/// With offset cells that is a small difference of large numbers: sums of ADC codes (UniformConverter::code) are exact
/// in float, and the scale and the offset belong in double. Offset cells without an ADC have the offset taken off their
/// conductances, and offset_coefficient is 0.
struct ProgrammedMatrix {
  int rows = 0, cols = 0;  ///< inputs and outputs
  int row_blocks = 0, col_blocks = 0;
  std::vector<Crossbar> arrays;   ///< arrays[row_block * col_blocks + col_block]
  double output_scale = 1;        ///< in units of the weights
  double offset_coefficient = 0;  ///< 0 where nothing is to be subtracted

  const Crossbar& array(int row_block, int col_block) const {
    return arrays[static_cast<std::size_t>(row_block) * col_blocks + col_block];
  }
};

/// Maps `weights` (outputs x inputs) to conductances, splits them, programs every cell with its error, prepares read
/// noise. A cell's draw is counted by its place in the whole matrix (plane of cells: plus 0, minus 1; row; column), so
/// the same trial is the same chip whatever the array size: comparisons over rows_max see the partition only.
/// `layer` is the layer's index in the network. Error(bad_input) for weights that are not finite.
ProgrammedMatrix program_matrix(const Matrix& weights, const LayerHardware& hardware, std::uint64_t seed,
                                std::uint32_t trial, std::uint32_t layer);

/// The same without random errors: calibration's chip.
ProgrammedMatrix nominal_matrix(const Matrix& weights, const LayerHardware& hardware);

/// The rule of device.read_noise.sampling "auto" (physics.md section 4): lumped noise is exact where it is normal and
/// no cell meets a limit, and normal by the central limit theorem for 64 driven rows or more. One choice for all arrays
/// of a matrix.
bool lumped_noise_is_accurate(DrawLaw law, double clip_probability, int rows);
int smallest_array_rows(const ProgrammedMatrix& matrix);

/// Whether any current of the layer's arrays may be negative: decides RangeRule::maximum.
bool bipolar_currents(const LayerHardware& hardware, bool signed_inputs);

}  // namespace crossgrid
