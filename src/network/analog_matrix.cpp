#include "crossgrid/network/analog_matrix.hpp"

#include <algorithm>

#include "crossgrid/base/error.hpp"

namespace crossgrid {

namespace {

/// Vectors per product: fixed, so that a vector's result does not depend on how many there are.
constexpr int vectors_at_once = 16;

Matrix run(const MatrixStep& step, const Matrix& inputs, std::uint64_t first, Lane& lane,
           const ConversionObserver& observe) {
  const PreparedMatrix& matrix = *step.matrix;
  const auto rows = inputs.cols();
  const Shape shape{static_cast<int>(rows), 1, 1};
  Matrix outputs(inputs.rows(), matrix.cols());
  Matrix padded(vectors_at_once, rows), found(vectors_at_once, matrix.cols());
  MicroBatch batch;
  batch.size = vectors_at_once;
  for (Eigen::Index done = 0; done < inputs.rows(); done += vectors_at_once) {
    const Eigen::Index count = std::min<Eigen::Index>(vectors_at_once, inputs.rows() - done);
    padded.setZero();
    padded.topRows(count) = inputs.middleRows(done, count);
    batch.first = first + static_cast<std::uint64_t>(done);
    batch.end = static_cast<int>(count);
    run_chain(step, padded.data(), shape, false, batch, lane, observe, nullptr, found.data());
    outputs.middleRows(done, count) = found.topRows(count);
  }
  return outputs;
}

}  // namespace

struct AnalogMatrix::Impl {
  LayerHardware hardware;
  LayerStreams streams;
  ProgrammedCells cells;
  Lane lane;
  LayerRanges ranges;
  MatrixStep forward;

  MatrixStep step(const ProgrammedCells& programmed, const LayerHardware& layer, const LayerRanges& at_ends) {
    ConvolutionShape geometry;
    geometry.images = vectors_at_once;
    geometry.in_channels = static_cast<int>(programmed.slices.front().plus.rows());
    geometry.out_channels = static_cast<int>(programmed.slices.front().plus.cols());
    MatrixStep made = driven_step(geometry, layer, at_ends.dac);
    ProgrammedMatrix matrix = assemble(programmed, layer, streams);
    const MatrixPlan plan = plan_matrix(geometry, layer, matrix.noise);
    put_arrays(made, layer, at_ends, prepare_analog(geometry, std::move(matrix), plan, lane), streams);
    return made;
  }
};

AnalogMatrix::AnalogMatrix(const Matrix& weights, const LayerHardware& hardware, const LayerRanges& ranges,
                           const LayerStreams& streams)
    : impl_(std::make_unique<Impl>()) {
  impl_->hardware = hardware;
  impl_->hardware.core.bias_in_rows = false;  // what the caller has is the whole matrix
  impl_->streams = streams;
  impl_->cells = program_cells(weights, impl_->hardware, streams);
  impl_->ranges = ranges;
  impl_->forward = impl_->step(impl_->cells, impl_->hardware, ranges);
}

AnalogMatrix::~AnalogMatrix() = default;

int AnalogMatrix::inputs() const {
  return static_cast<int>(impl_->cells.slices.front().plus.rows());
}
int AnalogMatrix::outputs() const {
  return static_cast<int>(impl_->cells.slices.front().plus.cols());
}

Matrix AnalogMatrix::multiply(const Matrix& inputs, std::uint64_t first, const ConversionObserver& observe) {
  return run(impl_->forward, inputs, first, impl_->lane, observe);
}

void AnalogMatrix::program(int output_first, int input_first, const Matrix& block) {
  ++impl_->streams.write;
  reprogram(impl_->cells, impl_->hardware, impl_->streams, output_first, input_first, block);
  impl_->forward = impl_->step(impl_->cells, impl_->hardware, impl_->ranges);
}

Matrix AnalogMatrix::multiply_transposed(const Matrix& inputs, const DacConfig& dac, const AdcConfig& adc,
                                         const LayerRanges& ranges, std::uint64_t first) {
  LayerHardware layer = impl_->hardware;
  if (impl_->cells.mapping.unit_column) {
    throw Error(ExitCode::bad_input,
                "transposed products need core.unit_column false: a unit column is a column, and rows are read");
  }
  std::swap(layer.array.rows_max, layer.array.cols_max);
  std::swap(layer.array.rows_partition, layer.array.cols_partition);
  layer.array.rows_active.reset();
  // Bit lines are driven at their first cells, word lines read at their last; all keep their own resistances.
  std::swap(layer.array.wires.r_row, layer.array.wires.r_col);
  std::swap(layer.array.wires.r_row_end, layer.array.wires.r_col_end);
  layer.dac = dac;
  layer.adc = adc;
  const MatrixStep step = impl_->step(transposed(impl_->cells, layer), layer, ranges);
  return run(step, inputs, first, impl_->lane, {});
}

}  // namespace crossgrid
