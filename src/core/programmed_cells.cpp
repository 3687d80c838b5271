#include "crossgrid/core/programmed_cells.hpp"

namespace crossgrid {
namespace {

Matrix targets_of(const Matrix& by_input, const WeightMapping& mapping, int slice, double CellTargets::*side) {
  Matrix targets(by_input.rows(), by_input.cols());
  for (Eigen::Index k = 0; k < by_input.size(); ++k) {
    targets.data()[k] = static_cast<float>(mapping(by_input.data()[k], slice).*side);
  }
  return targets;
}

}  // namespace

ProgrammedCells program_cells(const Matrix& weights, const LayerHardware& hardware, const LayerStreams& streams) {
  ProgrammedCells cells;
  cells.mapping = make_weight_mapping(weights, hardware);
  const ArrayConfig& array = hardware.array;
  cells.col_parts = partition(static_cast<int>(weights.rows()), array.cols_max, array.cols_partition);
  const Matrix by_input = weights.transpose();
  const DeviceConfig& device = hardware.device;
  for (int slice = 0; slice < cells.mapping.slices; ++slice) {
    SliceCells made;
    made.plus = targets_of(by_input, cells.mapping, slice, &CellTargets::plus);
    program_plane(made.plus, device, streams, plane_of(slice, false));
    if (cells.mapping.style == CoreStyle::balanced) {
      made.minus = targets_of(by_input, cells.mapping, slice, &CellTargets::minus);
      program_plane(made.minus, device, streams, plane_of(slice, true));
    }
    if (cells.mapping.unit_column) {
      made.unit = Matrix::Constant(by_input.rows(), static_cast<Eigen::Index>(cells.col_parts.size()),
                                   static_cast<float>(cells.mapping(0, slice).plus));
      program_plane(made.unit, device, streams, unit_plane_of(slice));
    }
    cells.slices.push_back(std::move(made));
  }
  return cells;
}

MatrixD held_weights(const ProgrammedCells& cells) {
  const WeightMapping& mapping = cells.mapping;
  const Matrix& first = cells.slices.front().plus;
  MatrixD sum = MatrixD::Constant(first.rows(), first.cols(), -mapping.offset_coefficient());
  for (int slice = 0; slice < mapping.slices; ++slice) {
    const SliceCells& own = cells.slices[static_cast<std::size_t>(slice)];
    const double scale = mapping.output_scale(slice);
    sum += scale * own.plus.cast<double>();
    if (own.minus.size() > 0) sum -= scale * own.minus.cast<double>();
    if (own.unit.size() == 0) continue;
    for (std::size_t part = 0; part < cells.col_parts.size(); ++part) {
      const Eigen::VectorXd unit = scale * own.unit.col(static_cast<Eigen::Index>(part)).cast<double>();
      sum.middleCols(cells.col_parts[part].first, cells.col_parts[part].count).colwise() -= unit;
    }
  }
  return sum;
}

double mean_conductance(const ProgrammedCells& cells) {
  double sum = 0, count = 0;
  for (const SliceCells& slice : cells.slices) {
    for (const Matrix* plane : {&slice.plus, &slice.minus, &slice.unit}) {
      sum += plane->cast<double>().sum();
      count += static_cast<double>(plane->size());
    }
  }
  return sum / count;
}

ProgrammedCells transposed(const ProgrammedCells& cells, const LayerHardware& hardware) {
  ProgrammedCells swapped;
  swapped.mapping = cells.mapping;
  const auto outputs = static_cast<int>(cells.slices.front().plus.rows());
  swapped.col_parts = partition(outputs, hardware.array.cols_max, hardware.array.cols_partition);
  for (const SliceCells& slice : cells.slices) {
    swapped.slices.push_back({slice.plus.transpose(), slice.minus.transpose(), {}});
  }
  return swapped;
}

}  // namespace crossgrid
