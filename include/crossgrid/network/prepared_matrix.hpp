#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "crossgrid/circuit/input_slices.hpp"
#include "crossgrid/core/programmed_matrix.hpp"
#include "crossgrid/network/lane.hpp"
#include "crossgrid/network/matrix_plan.hpp"
#include "crossgrid/network/row_band.hpp"

namespace crossgrid {

/// Images that go through a network together. The batch has a fixed size and begins at a multiple of it in the data
/// set; begin .. end - 1 are the ones asked for, the others are zeros.
struct MicroBatch {
  std::uint64_t first = 0;  ///< image 0 of the batch, absolute index
  int size = 1;
  int begin = 0, end = 1;
  /// Number of an image's first window: where a layer's matrix is multiplied again and again.
  std::uint32_t first_window = 0;

  std::uint32_t absolute(int image) const {
    return static_cast<std::uint32_t>(first) + static_cast<std::uint32_t>(image);
  }
};

/// A matrix layer ready to run: weights or conductances in the layouts of its products. Shared by all lanes.
struct PreparedMatrix {
  /// One product: a row block of a plane of cells. Packed weights are one by one for groups of gathered windows, else
  /// all together for each of the block's shapes.
  struct Plane {
    std::vector<PackedWeights> weights;
    std::vector<PackedWeights> variance;                             ///< lumped read noise only
    std::vector<std::pair<int, std::vector<PackedWeights>>> powers;  ///< nonlinear cells: power of the inputs
    std::vector<const Crossbar*> arrays;                             ///< side by side in columns; none: digital layers
  };
  struct Block {
    std::vector<AnyProductShape> shapes;  ///< RowBand::shape
    std::vector<Plane> planes;            ///< as programmed.planes
  };
  ConvolutionShape geometry;  ///< of a micro-batch; groups as in the plan
  MatrixPlan plan;
  NoisePath noise = NoisePath::none;
  std::vector<RowBand> bands;  ///< of direct products
  std::vector<Block> blocks;
  ProgrammedMatrix programmed;  ///< its conductances are dropped where they live on in packed form only
  int columns = 0;              ///< analog columns, outputs where the layer is digital
  std::size_t bytes = 0;

  /// Columns of its products: where cells hold integers on a base, a last one sums the inputs.
  int product_columns() const { return columns + (plan.integers && plan.integers->base != 0 ? 1 : 0); }
  int windows() const { return geometry.windows(); }
  int cols() const { return geometry.out_channels; }
  /// Rows of a group's inputs, those of a bias with them.
  int rows() const { return programmed.rows; }
  /// Values of a gathered window: the rows of all groups.
  int window_inputs() const { return rows() * geometry.groups; }
  int columns_of_group() const { return columns / geometry.groups; }
  std::size_t inputs_per_image() const;
  /// Windows of one image in bands that follow each other.
  int windows(std::span<const RowBand> some) const;
  std::size_t outputs_per_image() const { return static_cast<std::size_t>(windows()) * cols(); }
  std::size_t currents_per_image() const { return static_cast<std::size_t>(windows()) * columns; }
};

/// A layer computed digitally: weights as a network stores them (outputs x inputs).
std::shared_ptr<const PreparedMatrix> prepare_digital(const ConvolutionShape& geometry, const Matrix& weights,
                                                      Lane& lane);
/// A layer on arrays.
std::shared_ptr<const PreparedMatrix> prepare_analog(const ConvolutionShape& geometry, ProgrammedMatrix programmed,
                                                     const MatrixPlan& plan, Lane& lane);

/// What drives a product: normalised inputs, and their squares where noise is lumped.
struct DrivenInputs {
  const float* values = nullptr;
  const float* squares = nullptr;
  int input_slice = 0;                         ///< a cycle of its own
  std::uint32_t first_window = 0;              ///< see MicroBatch
  const std::uint8_t* digits = nullptr;        ///< of the values, where products are of integers
  const std::uint8_t* minus_digits = nullptr;  ///< those of negative values; null: there are none
  std::span<const int> undefined = {};         ///< images with a NaN among their digits
  int first_row = 0;                           ///< of the image: where values, squares and digits begin
};

/// Currents of one block and plane for a micro-batch by MatrixExecution::direct, in some of the matrix's bands, which
/// follow each other: windows of all images x columns. inputs: NHWC, of all images.
void direct_currents(const PreparedMatrix& matrix, std::span<const RowBand> bands, int block, int plane,
                     const DrivenInputs& inputs, const MicroBatch& batch, Lane& lane, float* currents);

/// The same for one image whose windows were gathered: inputs are windows x rows().
void gathered_currents(const PreparedMatrix& matrix, int block, int plane, const DrivenInputs& inputs,
                       std::uint32_t image, Lane& lane, float* currents);

}  // namespace crossgrid
