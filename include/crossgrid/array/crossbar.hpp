#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "crossgrid/base/matrix.hpp"
#include "crossgrid/base/philox.hpp"
#include "crossgrid/device/conductance_error.hpp"
#include "crossgrid/device/current_planes.hpp"

namespace crossgrid {

class ArrayCircuit;

/// How an array's read noise is drawn (physics.md section 4).
enum class NoisePath {
  none,
  lumped,   ///< one normal per output and MVM, variance = inputs^2 * noise_variance
  per_cell  ///< one normal per cell and MVM
};

/// Arrays with wires that are solved anew for every MVM: all rows of theirs, of which a Crossbar drives some.
struct ArrayCircuits {
  std::shared_ptr<const ArrayCircuit> plus;   ///< of interleaved pairs, both cells; null: currents are products
  std::shared_ptr<const ArrayCircuit> minus;  ///< the array of the - cells, where their currents are taken off
  int row_first = 0, rows = 0;                ///< inputs of the whole matrix
};

/// One programmed array (a balanced pair of arrays counts as one), or the rows of it that are driven at once: rows are
/// inputs, columns outputs and, before them, the array's unit column where it has one.
struct Crossbar {
  int row_first = 0, rows = 0;  ///< inputs of the whole matrix that it holds
  int col_first = 0, cols = 0;  ///< outputs
  int matrix_rows = 0, matrix_cols = 0;

  /// rows x cols: current of output j is sum_i x_i conductance(i, j): g+ - g- of a balanced pair, g of single cells.
  /// Where noise is lumped, the cells' mean under (clipped) read noise.
  Matrix conductance;

  /// Nonlinear cells: planes of higher powers of the inputs, which the product adds; like `conductance` of a pair or of
  /// single cells. Read noise is that of the first power.
  std::vector<CurrentPlane> powers;

  NoisePath noise = NoisePath::none;
  Matrix noise_variance;  ///< rows x cols, lumped only: variance of conductance(i, j), both cells of a pair together
  Matrix plus, minus;  ///< rows x cols, per_cell only: programmed cells; minus is empty for single cells. Of circuits
                       ///< all rows of the array.
  Matrix plus_sigma,
      minus_sigma;  ///< per_cell only: of each cell's read noise, where read_noise does not say it; or empty
  NoisyConductance<float> read_noise;  ///< per_cell only; its limits hold for both
  DrawLaw read_law = DrawLaw::normal;  ///< per_cell only
  float gain = 1;                 ///< of the currents, against drift; conductance and noise_variance have it in them
  ArrayCircuits circuits;         ///< in place of products
  PhiloxKey lumped_key;           ///< by row block
  PhiloxKey plus_key, minus_key;  ///< by plane of cells
  std::uint32_t cycle = 0;        ///< of the first input slice's lumped noise; the others follow
};

/// Lumped read noise on a tile of currents: windows first_window, ... of one image, `windows` x cols, strides in
/// floats. variance holds inputs^2 * noise_variance; currents += sqrt(variance) * normal. The draw is counted by the
/// output's place in the whole matrix, so it does not depend on tiles or column blocks. input_slice: a cycle of its
/// own.
void add_lumped_noise(const Crossbar& crossbar, std::uint32_t image, std::uint32_t first_window, int input_slice,
                      int windows, const float* variance, std::ptrdiff_t variance_stride, float* currents,
                      std::ptrdiff_t currents_stride);

/// MVMs with every cell drawn afresh: currents (windows x cols) = inputs (windows x rows) * noisy cells. The draw is
/// counted by the cell's place in the whole matrix, the window and the input slice.
void mvm_with_cell_noise(const Crossbar& crossbar, std::uint32_t image, std::uint32_t first_window, int input_slice,
                         int windows, const float* inputs, std::ptrdiff_t inputs_stride, float* currents,
                         std::ptrdiff_t currents_stride);

}  // namespace crossgrid
