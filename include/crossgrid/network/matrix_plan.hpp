#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crossgrid/array/crossbar.hpp"
#include "crossgrid/backend/products.hpp"
#include "crossgrid/core/integer_cells.hpp"
#include "crossgrid/core/layer_hardware.hpp"
#include "crossgrid/network/network.hpp"

namespace crossgrid {

/// How the MVMs of a matrix layer are computed. All give the same values before converters, to rounding. Where windows
/// are gathered, an input vector lies in memory as its array sees it: with the rows of a bias, in a scale of its own.
enum class MatrixExecution {
  direct,        ///< one convolution per row block over the channels that it touches (linear layers: one product)
  gathered,      ///< windows gathered tile by tile (im2col), one product per row block and tile
  cell_by_cell,  ///< as gathered, every cell drawn at every MVM
  by_circuit     ///< as gathered, every MVM solved as a circuit of cells and wires
};

/// Rows of the matrix that meet one ADC, as one product.
struct PlanBlock {
  int row_first = 0, rows = 0;          ///< rows of a bias come after those of the geometry
  int channel_first = 0, channels = 0;  ///< input channels that the rows touch, some perhaps in part
};

struct MatrixPlan {
  MatrixExecution execution = MatrixExecution::direct;
  std::vector<PlanBlock> blocks;
  /// Groups of channels whose products are apart: of a grouped convolution whose groups have arrays of their own, or
  /// share arrays on which the cells off the blocks carry nothing.
  int groups = 1;
  /// Row arrays beside the blocks in which no column's cells carry anything: converters see zeros. The blocks of groups
  /// that share arrays are the first array that each of them lies in, the second, ... (parts_of_group).
  int idle = 0;
  /// Whether all row blocks were merged into one: nothing is between their currents and their sum.
  bool merged = false;
  /// Windows per gathered tile, a divisor of the windows of an image.
  int tile = 1;
  /// Products of bytes give exact sums on this process's instruction-set level (MatrixExecution::direct only).
  std::optional<IntegerCells> integers;
  std::string reason;

  /// Each of them is told of once: with the first block.
  int idle_with(int block) const { return block == 0 ? idle : 0; }
  /// Rows that products compute over those that the matrix has: 1 where no channel is cut.
  double overhead(const ConvolutionShape& geometry) const;
};

/// The rows of a group of a shared matrix, counted from its own first one, by the row arrays that it lies in.
std::vector<Part> parts_of_group(const std::vector<RowGroup>& arrays, int group, int rows);

/// The matrix whose rows and columns arrays share out: a layer's, rows of a bias with them, or a group's where groups
/// have arrays of their own.
int matrix_rows(const MatrixLayer& layer, const LayerHardware& hardware);
int matrix_cols(const MatrixLayer& layer, const LayerHardware& hardware);

/// Whether each window must be driven by itself: inputs scaled per vector or halved where outputs clip.
bool drives_windows(const LayerHardware& hardware);

/// Whether converters of currents that are equal give equal codes: in all arrays, or in those of as many rows.
struct AlikeConverters {
  bool of_any_rows = false, of_as_many_rows = false;
  bool operator==(const AlikeConverters&) const = default;
};
AlikeConverters alike_converters(const AdcConfig& adc);

/// The cheapest exact plan. geometry: of one image, with the groups that the network has.
MatrixPlan plan_matrix(const ConvolutionShape& geometry, const LayerHardware& hardware, NoisePath noise);
/// The plan with its execution forced, all products in floating point: for tests that hold plans to each other.
MatrixPlan plan_matrix_as(MatrixExecution execution, const ConvolutionShape& geometry, const LayerHardware& hardware,
                          NoisePath noise);

}  // namespace crossgrid
