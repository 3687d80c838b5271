#include "crossgrid/network/prepared_matrix.hpp"

#include <algorithm>

#include "crossgrid/network/tensor_operations.hpp"

namespace crossgrid {

namespace {

/// A layer of single pixels is a plain product; its inputs are read where they are, also a range of them.
bool plain_product(const ConvolutionShape& g) {
  return g.height == 1 && g.width == 1 && g.kernel_height == 1 && g.kernel_width == 1 && g.padding == 0;
}

AnyProductShape product_shape(const ConvolutionShape& geometry, const MatrixPlan& plan, const PlanBlock& block) {
  const int cols = geometry.out_channels;
  if (plan.execution != MatrixExecution::direct) {
    return ProductShape{plan.tile, block.rows, cols, block.rows, cols};
  }
  if (plain_product(geometry)) {
    return ProductShape{geometry.images, block.rows, cols, geometry.in_channels, cols};
  }
  ConvolutionShape shape = geometry;
  shape.in_channels = block.channels;
  return shape;
}

/// A row block's cells side by side, with rows of zeros before and after for what else its product computes.
Matrix block_matrix(const PreparedMatrix& matrix, const PlanBlock& block, Matrix Crossbar::*cells) {
  const ConvolutionShape& g = matrix.geometry;
  const int kernel = g.kernel_height * g.kernel_width;
  const bool whole_channels = matrix.plan.execution == MatrixExecution::direct;
  const int first = whole_channels ? block.channel_first * kernel : block.row_first;
  const int rows = whole_channels ? block.channels * kernel : block.rows;
  Matrix all = Matrix::Zero(rows, g.out_channels);
  for (const Crossbar& array : matrix.programmed.arrays) {
    if (array.row_first < block.row_first || array.row_first >= block.row_first + block.rows) continue;
    all.block(array.row_first - first, array.col_first, array.rows, array.cols) = array.*cells;
  }
  return all;
}

std::size_t bytes_of(const Crossbar& array) {
  const auto floats = array.conductance.size() + array.noise_variance.size() + array.plus.size() + array.minus.size();
  return sizeof(Crossbar) + static_cast<std::size_t>(floats) * sizeof(float);
}

void gather_tile(const PreparedMatrix& matrix, const PlanBlock& block, const float* inputs, int image, int window,
                 float* to) {
  gather_windows(inputs + static_cast<std::size_t>(image) * matrix.inputs_per_image(), to, matrix.geometry, window,
                 matrix.plan.tile, block.row_first, block.rows);
}

/// One product by the plan: for the currents, or with squared inputs for their variance.
void multiply(const PreparedMatrix& matrix, int index, const PackedWeights& weights, const float* inputs, Lane& lane,
              float* result) {
  const PlanBlock& block = matrix.plan.blocks[static_cast<std::size_t>(index)];
  const ConvolutionShape& g = matrix.geometry;
  const AnyProductShape& shape = matrix.blocks[static_cast<std::size_t>(index)].shape;
  if (matrix.plan.execution == MatrixExecution::gathered) {
    const int tile = matrix.plan.tile;
    float* const rows = lane.scratch(Lane::windows, static_cast<std::size_t>(tile) * block.rows);
    for (int image = 0; image < g.images; ++image) {
      for (int window = 0; window < matrix.windows(); window += tile) {
        gather_tile(matrix, block, inputs, image, window, rows);
        lane.product(shape).run(rows, weights, result);
        result += static_cast<std::ptrdiff_t>(tile) * g.out_channels;
      }
    }
  } else if (plain_product(g)) {
    lane.product(shape).run(inputs + block.row_first, weights, result);
  } else if (block.channels == g.in_channels) {
    lane.product(shape).run(inputs, weights, result);
  } else {
    const auto pixels = static_cast<std::size_t>(g.images) * g.height * g.width;
    float* const channels = lane.scratch(Lane::block_input, pixels * block.channels);
    copy_channels(inputs, channels, pixels, g.in_channels, block.channel_first, block.channels);
    lane.product(shape).run(channels, weights, result);
  }
}

void lumped_noise(const PreparedMatrix& matrix, int index, const float* inputs, const MicroBatch& batch, Lane& lane,
                  float* currents) {
  const PreparedMatrix::Block& block = matrix.blocks[static_cast<std::size_t>(index)];
  const std::size_t outputs = matrix.outputs_per_image();
  const std::size_t count = static_cast<std::size_t>(batch.size) * matrix.inputs_per_image();
  float* const squares = lane.scratch(Lane::squares, count);
  float* const variance = lane.scratch(Lane::variance, static_cast<std::size_t>(batch.size) * outputs);
  square(inputs, squares, count);
  multiply(matrix, index, block.variance, squares, lane, variance);
  for (int image = batch.begin; image < batch.end; ++image) {
    const std::size_t place = static_cast<std::size_t>(image) * outputs;
    for (const Crossbar* array : block.arrays) {
      add_lumped_noise(*array, static_cast<std::uint32_t>(batch.first) + static_cast<std::uint32_t>(image), 0,
                       matrix.windows(), variance + place + array->col_first, matrix.cols(),
                       currents + place + array->col_first, matrix.cols());
    }
  }
}

void cell_by_cell(const PreparedMatrix& matrix, int index, const float* inputs, const MicroBatch& batch, Lane& lane,
                  float* currents) {
  const PlanBlock& block = matrix.plan.blocks[static_cast<std::size_t>(index)];
  const int tile = matrix.plan.tile;
  float* const rows = lane.scratch(Lane::windows, static_cast<std::size_t>(tile) * block.rows);
  std::fill_n(currents, static_cast<std::size_t>(batch.size) * matrix.outputs_per_image(), 0.0f);
  for (int image = batch.begin; image < batch.end; ++image) {
    for (int window = 0; window < matrix.windows(); window += tile) {
      gather_tile(matrix, block, inputs, image, window, rows);
      float* const to = currents + static_cast<std::size_t>(image) * matrix.outputs_per_image() +
                        static_cast<std::ptrdiff_t>(window) * matrix.cols();
      for (const Crossbar* array : matrix.blocks[static_cast<std::size_t>(index)].arrays) {
        mvm_with_cell_noise(*array, static_cast<std::uint32_t>(batch.first) + static_cast<std::uint32_t>(image),
                            static_cast<std::uint32_t>(window), tile, rows, block.rows, to + array->col_first,
                            matrix.cols());
      }
    }
  }
}

}  // namespace

std::size_t PreparedMatrix::inputs_per_image() const {
  return static_cast<std::size_t>(geometry.in_channels) * geometry.height * geometry.width;
}

std::shared_ptr<const PreparedMatrix> prepare_digital(const ConvolutionShape& geometry, const Matrix& weights,
                                                      Lane& lane) {
  auto matrix = std::make_shared<PreparedMatrix>();
  matrix->geometry = geometry;
  matrix->plan = plan_matrix(geometry, {}, NoisePath::none);
  PreparedMatrix::Block block{product_shape(geometry, matrix->plan, matrix->plan.blocks.front()), {}, {}, {}};
  block.weights = lane.product(block.shape).pack(weights.transpose());
  matrix->bytes = block.weights.bytes();
  matrix->blocks.push_back(std::move(block));
  return matrix;
}

std::shared_ptr<const PreparedMatrix> prepare_analog(const ConvolutionShape& geometry, ProgrammedMatrix programmed,
                                                     const MatrixPlan& plan, Lane& lane) {
  auto matrix = std::make_shared<PreparedMatrix>();
  matrix->geometry = geometry;
  matrix->plan = plan;
  matrix->programmed = std::move(programmed);
  matrix->noise = matrix->programmed.arrays.front().noise;
  for (const PlanBlock& rows : plan.blocks) {
    PreparedMatrix::Block block{product_shape(geometry, plan, rows), {}, {}, {}};
    if (matrix->noise != NoisePath::per_cell) {
      Product& product = lane.product(block.shape);
      block.weights = product.pack(block_matrix(*matrix, rows, &Crossbar::conductance));
      if (matrix->noise == NoisePath::lumped) {
        block.variance = product.pack(block_matrix(*matrix, rows, &Crossbar::noise_variance));
      }
    }
    for (const Crossbar& array : matrix->programmed.arrays) {
      if (array.row_first == rows.row_first) block.arrays.push_back(&array);
    }
    matrix->bytes += block.weights.bytes() + block.variance.bytes();
    matrix->blocks.push_back(std::move(block));
  }
  for (Crossbar& array : matrix->programmed.arrays) {
    array.conductance.resize(0, 0);
    array.noise_variance.resize(0, 0);
    matrix->bytes += bytes_of(array);
  }
  return matrix;
}

void block_currents(const PreparedMatrix& matrix, int block, const float* inputs, const MicroBatch& batch, Lane& lane,
                    float* currents) {
  if (matrix.plan.execution == MatrixExecution::cell_by_cell) {
    return cell_by_cell(matrix, block, inputs, batch, lane, currents);
  }
  multiply(matrix, block, matrix.blocks[static_cast<std::size_t>(block)].weights, inputs, lane, currents);
  if (matrix.noise == NoisePath::lumped) lumped_noise(matrix, block, inputs, batch, lane, currents);
}

}  // namespace crossgrid
