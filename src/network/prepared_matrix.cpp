#include "crossgrid/network/prepared_matrix.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "crossgrid/array/circuit_mvm.hpp"
#include "crossgrid/base/error.hpp"
#include "crossgrid/base/host_device.hpp"
#include "crossgrid/base/rounding.hpp"
#include "crossgrid/network/tensor_operations.hpp"

namespace crossgrid {

namespace {

/// A layer of single pixels is a plain product; its inputs are read where they are, also a range of them.
bool plain_product(const ConvolutionShape& g) {
  return g.height == 1 && g.width == 1 && g.window == Window{} && g.groups == 1;
}

/// Windows of single pixels that lie apart: their products are over the pixels gathered. oneDNN would gather them anew
/// for every few of a band's columns.
bool pixels_apart(const ConvolutionShape& g) {
  return g.window.size() == 1 && !g.window.padded() && g.window != Window{};
}

std::vector<AnyProductShape> product_shapes(const ConvolutionShape& geometry, const MatrixPlan& plan,
                                            std::span<const RowBand> bands, const PlanBlock& block, int rows,
                                            int columns) {
  if (plan.execution != MatrixExecution::direct) {
    return {ProductShape{plan.tile, block.rows, columns / plan.groups, std::ptrdiff_t{rows} * plan.groups, columns}};
  }
  if (plain_product(geometry)) {
    return {ProductShape{geometry.images, block.rows, columns, geometry.in_channels, columns}};
  }
  std::vector<AnyProductShape> shapes;
  for (const RowBand& band : bands) {
    if (band.shape < static_cast<int>(shapes.size())) continue;
    ConvolutionShape shape = band_geometry(geometry, band);
    shape.in_channels = block.channels;
    shape.out_channels = columns;
    shape.groups = plan.groups;
    if (pixels_apart(shape)) {
      const int height = shape.out_height(), width = shape.out_width();
      shape.height = height, shape.width = width, shape.window = {};
    }
    shapes.emplace_back(shape);
  }
  return shapes;
}

/// The groups' cells of a shared matrix side by side, rows of a group x columns: those in the row array that is number
/// `block` of the group's; cells_of(array): what to put there. Error(internal) where cells off the groups carry
/// anything: the plan was wrong.
template <class CellsOf>
Matrix groups_side_by_side(const PreparedMatrix& matrix, int plane, int block, const CellsOf& cells_of) {
  const ProgrammedMatrix& programmed = matrix.programmed;
  const int groups = matrix.geometry.groups, rows = programmed.rows / groups, columns = programmed.columns / groups;
  std::vector<Part> kept;  // of each group's rows
  for (int group = 0; group < groups; ++group) {
    std::vector<Part> parts = parts_of_group(programmed.groups, group, rows);
    if (matrix.plan.blocks.size() == 1) parts = {{0, rows}};
    kept.push_back(block < static_cast<int>(parts.size()) ? parts[static_cast<std::size_t>(block)] : Part{0, 0});
  }
  Matrix cells = Matrix::Zero(rows, programmed.columns);
  const auto copy = [&](const Crossbar& array, int group) {
    const int left = std::max(array.col_first, group * columns);
    const int right = std::min(array.col_first + array.cols, (group + 1) * columns);
    const auto own = cells_of(array).middleCols(left - array.col_first, right - left);
    const int end = array.row_first + array.rows;
    const int above = std::clamp(group * rows, array.row_first, end) - array.row_first;
    const int below = end - std::clamp((group + 1) * rows, array.row_first, end);
    if (!(own.topRows(above).array() == 0).all() || !(own.bottomRows(below).array() == 0).all()) {
      throw Error(ExitCode::internal, "cells off the groups of a grouped convolution carry currents");
    }
    const Part& part = kept[static_cast<std::size_t>(group)];
    const int from = std::max(array.row_first, group * rows + part.first);
    const int to = std::min(end, group * rows + part.first + part.count);
    if (from >= to) return;
    cells.block(from - group * rows, left, to - from, right - left) = own.middleRows(from - array.row_first, to - from);
  };
  for (int row = 0; row < static_cast<int>(programmed.groups.size()); ++row) {
    for (int part = 0; part < static_cast<int>(programmed.col_parts.size()); ++part) {
      const Crossbar& array = programmed.array(plane, row, part);
      for (int group = array.col_first / columns; group * columns < array.col_first + array.cols; ++group) {
        copy(array, group);
      }
    }
  }
  return cells;
}

/// A row block's cells side by side, with rows of zeros before and after for what else its product computes.
template <class AnyMatrix, class CellsOf>
AnyMatrix block_matrix(const PreparedMatrix& matrix, int plane, const PlanBlock& block, const CellsOf& cells_of) {
  const ConvolutionShape& g = matrix.geometry;
  const int kernel = g.window.size();
  const bool whole_channels = matrix.plan.execution == MatrixExecution::direct && g.groups == 1;
  const int first = whole_channels ? block.channel_first * kernel : block.row_first;
  const int rows = whole_channels ? block.channels * kernel : block.rows;
  AnyMatrix all = AnyMatrix::Zero(rows, matrix.product_columns());
  const ProgrammedMatrix& programmed = matrix.programmed;
  for (int group = 0; group < static_cast<int>(programmed.groups.size()); ++group) {
    for (int part = 0; part < static_cast<int>(programmed.col_parts.size()); ++part) {
      const Crossbar& array = programmed.array(plane, group, part);
      if (array.row_first < block.row_first || array.row_first >= block.row_first + block.rows) continue;
      all.block(array.row_first - first, array.col_first, array.rows, array.cols) = cells_of(array);
    }
  }
  return all;
}

/// The integers that an array's cells hold. Error(internal) for conductances that are none.
IntegerMatrix integers_of(const PreparedMatrix& matrix, const Crossbar& array) {
  IntegerMatrix integers(array.rows, array.cols);
  for (Eigen::Index k = 0; k < integers.size(); ++k) {
    const double g = static_cast<double>(array.conductance.data()[k]);
    const double value = (g - matrix.plan.integers->base) / matrix.programmed.conductance_step;
    const double nearest = std::nearbyint(value);
    if (!(std::abs(value - nearest) < 1e-3) || std::abs(nearest) > matrix.plan.integers->largest_weight) {
      throw Error(ExitCode::internal, "a cell that should hold a small integer holds " + std::to_string(value));
    }
    integers.data()[k] = static_cast<std::int8_t>(nearest);
  }
  return integers;
}

IntegerMatrix integer_block(const PreparedMatrix& matrix, int plane, const PlanBlock& rows) {
  auto all = block_matrix<IntegerMatrix>(matrix, plane, rows,
                                         [&](const Crossbar& array) { return integers_of(matrix, array); });
  if (matrix.product_columns() > matrix.columns) {
    const int kernel = matrix.geometry.window.size();
    all.col(matrix.columns).segment(rows.row_first - rows.channel_first * kernel, rows.rows).setOnes();
  }
  return all;
}

CROSSGRID_MULTIVERSION
void subtract(std::int32_t* sums, const std::int32_t* minus, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) sums[i] -= minus[i];
}

CROSSGRID_MULTIVERSION
void to_currents(const std::int32_t* sums, float* currents, std::size_t count, double step, double base) {
  for (std::size_t i = 0; i < count; ++i) {
    currents[i] = static_cast<float>(fused(static_cast<double>(sums[i]), step, base));
  }
}

/// A lane's products by their shapes.
auto products_of(Lane& lane) {
  return [&lane](const AnyProductShape& shape) -> Product& { return lane.product(shape); };
}
auto integer_products_of(Lane& lane) {
  return [&lane](const AnyProductShape& shape) -> IntegerProduct& { return lane.integer_product(shape); };
}

/// The same weights for each of the shapes, once where their products want them alike.
template <class ProductOf, class AnyMatrix>
std::vector<PackedWeights> pack_for(const std::vector<AnyProductShape>& shapes, const ProductOf& product_of,
                                    const AnyMatrix& weights) {
  std::vector<PackedWeights> packed;
  for (const AnyProductShape& shape : shapes) {
    auto& product = product_of(shape);
    const bool alike = !packed.empty() && product.takes(packed.front());
    packed.push_back(alike ? packed.front() : product.pack(weights));
  }
  return packed;
}

PreparedMatrix::Plane prepare_plane(const PreparedMatrix& matrix, int plane, int block,
                                    const std::vector<AnyProductShape>& shapes, Lane& lane) {
  const PlanBlock& rows = matrix.plan.blocks[static_cast<std::size_t>(block)];
  PreparedMatrix::Plane made;
  const int groups = matrix.geometry.groups;
  const auto pack = [&](const auto& cells_of) -> std::vector<PackedWeights> {
    if (groups > 1 && matrix.programmed.rows == groups * matrix.geometry.rows()) {
      return pack_for(shapes, products_of(lane), groups_side_by_side(matrix, plane, block, cells_of));
    }
    const auto cells = block_matrix<Matrix>(matrix, plane, rows, cells_of);
    if (matrix.plan.execution == MatrixExecution::direct || groups == 1)
      return pack_for(shapes, products_of(lane), cells);
    const Product& product = lane.product(shapes.front());
    std::vector<PackedWeights> packed;
    packed.reserve(static_cast<std::size_t>(groups));
    for (int group = 0; group < groups; ++group) {
      packed.push_back(product.pack(cells.middleCols(group * matrix.columns_of_group(), matrix.columns_of_group())));
    }
    return packed;
  };
  if (matrix.plan.integers) {
    made.weights = pack_for(shapes, integer_products_of(lane), integer_block(matrix, plane, rows));
  } else if (matrix.noise != NoisePath::per_cell && matrix.plan.execution != MatrixExecution::by_circuit) {
    made.weights = pack([](const Crossbar& array) -> const Matrix& { return array.conductance; });
    if (matrix.noise == NoisePath::lumped) {
      made.variance = pack([](const Crossbar& array) -> const Matrix& { return array.noise_variance; });
    }
  }
  const ProgrammedMatrix& programmed = matrix.programmed;
  const std::vector<CurrentPlane>& powers = programmed.array(plane, 0, 0).powers;
  for (std::size_t k = 0; k < powers.size(); ++k) {
    made.powers.emplace_back(
        powers[k].power, pack([k](const Crossbar& array) -> const Matrix& { return array.powers[k].coefficients; }));
  }
  for (int group = 0; group < static_cast<int>(programmed.groups.size()); ++group) {
    for (int part = 0; part < static_cast<int>(programmed.col_parts.size()); ++part) {
      const Crossbar& array = programmed.array(plane, group, part);
      if (array.row_first == rows.row_first) made.arrays.push_back(&array);
    }
  }
  return made;
}

std::size_t bytes_of(const Crossbar& array) {
  const auto floats = array.conductance.size() + array.noise_variance.size() + array.plus.size() + array.minus.size() +
                      array.plus_sigma.size() + array.minus_sigma.size();
  return sizeof(Crossbar) + static_cast<std::size_t>(floats) * sizeof(float);
}

const PreparedMatrix::Plane& plane_of(const PreparedMatrix& matrix, int block, int plane) {
  return matrix.blocks[static_cast<std::size_t>(block)].planes[static_cast<std::size_t>(plane)];
}

/// One product over a micro-batch, band by band. product_of(shape) finds it, pixels_of(count) a buffer for inputs that
/// are gathered. inputs: from row first_row of the image on. weights: of each of the block's shapes.
template <class Input, class Result, class ProductOf, class PixelsOf>
void multiply_by(const PreparedMatrix& matrix, std::span<const RowBand> bands, int index,
                 const std::vector<PackedWeights>& weights, const Input* inputs, int first_row, Result* result,
                 const ProductOf& product_of, const PixelsOf& pixels_of) {
  const PlanBlock& block = matrix.plan.blocks[static_cast<std::size_t>(index)];
  const ConvolutionShape& g = matrix.geometry;
  const std::vector<AnyProductShape>& shapes = matrix.blocks[static_cast<std::size_t>(index)].shapes;
  if (plain_product(g)) return product_of(shapes.front()).run(inputs + block.row_first, weights.front(), result);
  const std::size_t row = static_cast<std::size_t>(g.width) * static_cast<std::size_t>(g.in_channels);
  for (const RowBand& band : bands) {
    const auto which = static_cast<std::size_t>(band.shape);
    const Input* from = inputs + static_cast<std::size_t>(band.input_first - first_row) * row;
    if (block.channels < g.in_channels || pixels_apart(g)) {
      const auto& shape = std::get<ConvolutionShape>(shapes[which]);
      const auto pixels = static_cast<std::size_t>(shape.images) * static_cast<std::size_t>(shape.height) *
                          static_cast<std::size_t>(shape.width);
      Input* const gathered = pixels_of(pixels * static_cast<std::size_t>(block.channels));
      PixelSubset subset{g.images, band_geometry(g, band).height, g.width, g.in_channels};
      if (pixels_apart(g)) {
        subset.vertical_stride = g.window.vertical.stride, subset.horizontal_stride = g.window.horizontal.stride;
      }
      subset.first_channel = block.channel_first, subset.channel_count = block.channels;
      copy_pixels(from, gathered, subset);
      from = gathered;
    }
    product_of(shapes[which]).run(from, weights[which], result);
    result += static_cast<std::size_t>(g.images) * static_cast<std::size_t>(band.rows * g.out_width()) *
              static_cast<std::size_t>(matrix.product_columns());
  }
}

void multiply(const PreparedMatrix& matrix, std::span<const RowBand> bands, int index,
              const std::vector<PackedWeights>& weights, const float* inputs, int first_row, Lane& lane,
              float* result) {
  multiply_by(matrix, bands, index, weights, inputs, first_row, result, products_of(lane),
              [&](std::size_t count) { return lane.scratch(Lane::block_input, count); });
}

/// The same where cells hold integers.
void multiply_digits(const PreparedMatrix& matrix, std::span<const RowBand> bands, int index,
                     const std::vector<PackedWeights>& weights, const DrivenInputs& inputs, Lane& lane,
                     float* currents) {
  const ConvolutionShape& g = matrix.geometry;
  const auto windows = static_cast<std::size_t>(g.images) * static_cast<std::size_t>(matrix.windows(bands));
  const auto columns = static_cast<std::size_t>(matrix.columns);
  const auto product_columns = static_cast<std::size_t>(matrix.product_columns());
  const auto multiply_into = [&](const std::uint8_t* digits, Lane::IntegerScratch which) {
    std::int32_t* const sums = lane.scratch(which, windows * product_columns);
    multiply_by(matrix, bands, index, weights, digits, inputs.first_row, sums, integer_products_of(lane),
                [&](std::size_t count) { return lane.scratch(Lane::block_digits, count); });
    return sums;
  };
  std::int32_t* const sums = multiply_into(inputs.digits, Lane::plus_sums);
  if (inputs.minus_digits != nullptr) {
    subtract(sums, multiply_into(inputs.minus_digits, Lane::minus_sums), windows * product_columns);
  }
  const IntegerCells& cells = *matrix.plan.integers;
  const double step = matrix.programmed.conductance_step / cells.largest_input;
  if (product_columns == columns) {
    to_currents(sums, currents, windows * columns, step, 0);
  } else {
    for (std::size_t w = 0; w < windows; ++w) {
      const std::int32_t* const row = sums + w * product_columns;
      const double base = cells.base / cells.largest_input * static_cast<double>(row[columns]);
      to_currents(row, currents + w * columns, columns, step, base);
    }
  }
  const std::size_t image_currents = static_cast<std::size_t>(matrix.windows(bands)) * columns;
  for (const int image : inputs.undefined) {
    std::fill_n(currents + static_cast<std::size_t>(image) * image_currents, image_currents,
                std::numeric_limits<float>::quiet_NaN());
  }
}

/// The same over gathered windows, tile by tile.
void multiply_gathered(const PreparedMatrix& matrix, int index, const std::vector<PackedWeights>& weights,
                       const float* inputs, Lane& lane, float* result) {
  const int first = matrix.plan.blocks[static_cast<std::size_t>(index)].row_first, tile = matrix.plan.tile;
  Product& product = lane.product(matrix.blocks[static_cast<std::size_t>(index)].shapes.front());
  for (int window = 0; window < matrix.windows(); window += tile) {
    const float* const from = inputs + static_cast<std::ptrdiff_t>(window) * matrix.window_inputs() + first;
    for (int group = 0; group < matrix.geometry.groups; ++group) {
      product.run(from + static_cast<std::ptrdiff_t>(group) * matrix.rows(), weights[static_cast<std::size_t>(group)],
                  result + static_cast<std::ptrdiff_t>(group) * matrix.columns_of_group());
    }
    result += static_cast<std::ptrdiff_t>(tile) * matrix.columns;
  }
}

/// Where an array finds the first of its inputs in a gathered window.
std::ptrdiff_t first_input(const PreparedMatrix& matrix, const Crossbar& array) {
  return std::ptrdiff_t{array.col_first / matrix.columns_of_group()} * matrix.rows() + array.row_first;
}

std::size_t bytes_of(const std::vector<PackedWeights>& all) {
  std::size_t bytes = 0;
  for (const PackedWeights& weights : all) bytes += weights.bytes();
  return bytes;
}

CROSSGRID_MULTIVERSION
void raise(const float* inputs, int power, float* to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) to[i] = inputs[i] * inputs[i];
  for (int k = 2; k < power; ++k) {
    for (std::size_t i = 0; i < count; ++i) to[i] *= inputs[i];
  }
}

CROSSGRID_MULTIVERSION
void add_values(const float* values, float* sum, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) sum[i] += values[i];
}

/// Nonlinear cells: currents of higher powers of the inputs. product(weights, inputs, to) multiplies.
template <class ProductOf>
void add_powers(const PreparedMatrix::Plane& cells, const float* inputs, std::size_t input_count, Lane& lane,
                float* currents, std::size_t count, const ProductOf& product) {
  for (const auto& [power, weights] : cells.powers) {
    float* const raised = lane.scratch(Lane::input_power, input_count);
    float* const added = lane.scratch(Lane::power_currents, count);
    raise(inputs, power, raised, input_count);
    product(weights, raised, added);
    add_values(added, currents, count);
  }
}

/// Adds noise to some windows' currents of one image.
void add_noise(const PreparedMatrix& matrix, const PreparedMatrix::Plane& plane, const DrivenInputs& inputs,
               std::uint32_t image, int first_window, int windows, const float* variance, float* currents) {
  const std::uint32_t first = inputs.first_window + static_cast<std::uint32_t>(first_window);
  for (const Crossbar* array : plane.arrays) {
    add_lumped_noise(*array, image, first, inputs.input_slice, windows, variance + array->col_first, matrix.columns,
                     currents + array->col_first, matrix.columns);
  }
}

}  // namespace

std::size_t PreparedMatrix::inputs_per_image() const {
  return static_cast<std::size_t>(geometry.in_channels) * geometry.height * geometry.width;
}

int PreparedMatrix::windows(std::span<const RowBand> some) const {
  return (some.back().first + some.back().rows - some.front().first) * geometry.out_width();
}

std::shared_ptr<const PreparedMatrix> prepare_digital(const ConvolutionShape& geometry, const Matrix& weights,
                                                      Lane& lane) {
  auto matrix = std::make_shared<PreparedMatrix>();
  matrix->geometry = geometry;
  LayerHardware groups_apart;
  groups_apart.grouped = GroupedMatrix::per_group;
  matrix->plan = plan_matrix(geometry, groups_apart, NoisePath::none);
  matrix->columns = geometry.out_channels;
  matrix->bands = row_bands(geometry, matrix->columns);
  PreparedMatrix::Block block{product_shapes(geometry, matrix->plan, matrix->bands, matrix->plan.blocks.front(),
                                             geometry.rows(), matrix->columns),
                              {}};
  const Matrix cells = weights.transpose();
  block.planes.push_back({pack_for(block.shapes, products_of(lane), cells), {}, {}, {}});
  matrix->bytes = bytes_of(block.planes.front().weights);
  matrix->blocks.push_back(std::move(block));
  return matrix;
}

std::shared_ptr<const PreparedMatrix> prepare_analog(const ConvolutionShape& geometry, ProgrammedMatrix programmed,
                                                     const MatrixPlan& plan, Lane& lane) {
  auto matrix = std::make_shared<PreparedMatrix>();
  matrix->geometry = geometry;
  matrix->geometry.groups = plan.groups;
  matrix->plan = plan;
  matrix->programmed = std::move(programmed);
  matrix->noise = matrix->programmed.noise;
  matrix->columns = matrix->programmed.columns;
  matrix->bands = row_bands(matrix->geometry, matrix->product_columns());
  for (int number = 0; number < static_cast<int>(plan.blocks.size()); ++number) {
    const PlanBlock& rows = plan.blocks[static_cast<std::size_t>(number)];
    PreparedMatrix::Block block{
        product_shapes(matrix->geometry, plan, matrix->bands, rows, matrix->rows(), matrix->product_columns()), {}};
    for (int plane = 0; plane < static_cast<int>(matrix->programmed.planes.size()); ++plane) {
      block.planes.push_back(prepare_plane(*matrix, plane, number, block.shapes, lane));
      matrix->bytes += bytes_of(block.planes.back().weights) + bytes_of(block.planes.back().variance);
      for (const auto& [power, weights] : block.planes.back().powers) matrix->bytes += bytes_of(weights);
    }
    matrix->blocks.push_back(std::move(block));
  }
  for (Crossbar& array : matrix->programmed.arrays) {
    array.conductance.resize(0, 0);
    array.noise_variance.resize(0, 0);
    array.powers.clear();
    matrix->bytes += bytes_of(array);
  }
  return matrix;
}

void direct_currents(const PreparedMatrix& matrix, std::span<const RowBand> bands, int block, int plane,
                     const DrivenInputs& inputs, const MicroBatch& batch, Lane& lane, float* currents) {
  const PreparedMatrix::Plane& cells = plane_of(matrix, block, plane);
  if (matrix.plan.integers) return multiply_digits(matrix, bands, block, cells.weights, inputs, lane, currents);
  multiply(matrix, bands, block, cells.weights, inputs.values, inputs.first_row, lane, currents);
  const int windows = matrix.windows(bands);
  const std::size_t image_currents = static_cast<std::size_t>(windows) * static_cast<std::size_t>(matrix.columns);
  const auto images = static_cast<std::size_t>(batch.size);
  add_powers(cells, inputs.values, images * matrix.inputs_per_image(), lane, currents, images * image_currents,
             [&](const std::vector<PackedWeights>& weights, const float* raised, float* to) {
               multiply(matrix, bands, block, weights, raised, inputs.first_row, lane, to);
             });
  if (matrix.noise != NoisePath::lumped) return;
  float* const variance = lane.scratch(Lane::variance, images * image_currents);
  multiply(matrix, bands, block, cells.variance, inputs.squares, inputs.first_row, lane, variance);
  const int first_window = bands.front().first * matrix.geometry.out_width();
  for (int image = batch.begin; image < batch.end; ++image) {
    const std::size_t place = static_cast<std::size_t>(image) * image_currents;
    add_noise(matrix, cells, inputs, batch.absolute(image), first_window, windows, variance + place, currents + place);
  }
}

void gathered_currents(const PreparedMatrix& matrix, int block, int plane, const DrivenInputs& inputs,
                       std::uint32_t image, Lane& lane, float* currents) {
  const PreparedMatrix::Plane& cells = plane_of(matrix, block, plane);
  const auto powers = [&] {
    const auto windows = static_cast<std::size_t>(matrix.windows());
    add_powers(cells, inputs.values, windows * static_cast<std::size_t>(matrix.window_inputs()), lane, currents,
               matrix.currents_per_image(),
               [&](const std::vector<PackedWeights>& weights, const float* raised, float* to) {
                 multiply_gathered(matrix, block, weights, raised, lane, to);
               });
  };
  if (matrix.plan.execution == MatrixExecution::by_circuit) {
    for (const Crossbar* array : cells.arrays) {
      mvm_by_circuit(*array, image, inputs.first_window, inputs.input_slice, matrix.windows(),
                     inputs.values + first_input(matrix, *array), matrix.window_inputs(), currents + array->col_first,
                     matrix.columns);
    }
    return;
  }
  if (matrix.noise == NoisePath::per_cell) {
    for (const Crossbar* array : cells.arrays) {
      mvm_with_cell_noise(*array, image, inputs.first_window, inputs.input_slice, matrix.windows(),
                          inputs.values + first_input(matrix, *array), matrix.window_inputs(),
                          currents + array->col_first, matrix.columns);
    }
    return powers();
  }
  multiply_gathered(matrix, block, cells.weights, inputs.values, lane, currents);
  powers();
  if (matrix.noise != NoisePath::lumped) return;
  float* const variance = lane.scratch(Lane::variance, matrix.currents_per_image());
  multiply_gathered(matrix, block, cells.variance, inputs.squares, lane, variance);
  add_noise(matrix, cells, inputs, image, 0, matrix.windows(), variance, currents);
}

}  // namespace crossgrid
