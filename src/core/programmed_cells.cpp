#include "crossgrid/core/programmed_cells.hpp"

#include <utility>

#include "crossgrid/base/error.hpp"

namespace crossgrid {
namespace {

Matrix targets_of(const Matrix& by_input, const WeightMapping& mapping, int slice, double CellTargets::*side) {
  Matrix targets(by_input.rows(), by_input.cols());
  for (Eigen::Index k = 0; k < by_input.size(); ++k) {
    targets.data()[k] = static_cast<float>(mapping(by_input.data()[k], slice).*side);
  }
  return targets;
}

SliceCells targets_of_slice(const Matrix& by_input, const ProgrammedCells& cells, int slice) {
  const WeightMapping& mapping = cells.mapping;
  SliceCells targets;
  targets.plus = targets_of(by_input, mapping, slice, &CellTargets::plus);
  if (mapping.style == CoreStyle::balanced) targets.minus = targets_of(by_input, mapping, slice, &CellTargets::minus);
  if (mapping.unit_column) {
    targets.unit = Matrix::Constant(by_input.rows(), static_cast<Eigen::Index>(cells.col_parts.size()),
                                    static_cast<float>(mapping(0, slice).plus));
  }
  return targets;
}

/// change(cells, plane of cells, side) for each plane that a slice has.
template <class Change>
void over_planes(SliceCells& cells, int slice, const Change& change) {
  const std::pair<Matrix SliceCells::*, int> sides[] = {{&SliceCells::plus, plane_of(slice, false)},
                                                        {&SliceCells::minus, plane_of(slice, true)},
                                                        {&SliceCells::unit, unit_plane_of(slice)}};
  for (const auto& [side, plane] : sides) {
    if ((cells.*side).size() > 0) change(cells.*side, plane, side);
  }
}

double sum_of(const SliceCells& cells, const Part& rows, const Part& cols, std::size_t col_array) {
  const auto sum = [&](const Matrix& plane, int first, int count) {
    return plane.block(rows.first, first, rows.count, count).cast<double>().sum();
  };
  double total = sum(cells.plus, cols.first, cols.count);
  if (cells.minus.size() > 0) total += sum(cells.minus, cols.first, cols.count);
  if (cells.unit.size() > 0) total += sum(cells.unit, static_cast<int>(col_array), 1);
  return total;
}

MatrixD gains_of(const SliceCells& before, const SliceCells& now, const std::vector<Part>& row_parts,
                 const std::vector<Part>& col_parts) {
  MatrixD gains(static_cast<Eigen::Index>(row_parts.size()), static_cast<Eigen::Index>(col_parts.size()));
  for (std::size_t row = 0; row < row_parts.size(); ++row) {
    for (std::size_t col = 0; col < col_parts.size(); ++col) {
      const double drifted = sum_of(now, row_parts[row], col_parts[col], col);
      gains(static_cast<Eigen::Index>(row), static_cast<Eigen::Index>(col)) =
          drifted > 0 ? sum_of(before, row_parts[row], col_parts[col], col) / drifted : 1;
    }
  }
  return gains;
}

}  // namespace

ProgrammedCells program_cells(const Matrix& weights, const LayerHardware& hardware, const LayerStreams& streams) {
  ProgrammedCells cells;
  cells.mapping = make_weight_mapping(weights, hardware);
  const ArrayConfig& array = hardware.array;
  const auto row_parts = partition(static_cast<int>(weights.cols()), array.rows_max, array.rows_partition);
  cells.col_parts = partition(static_cast<int>(weights.rows()), array.cols_max, array.cols_partition);
  const Matrix by_input = weights.transpose();
  const DeviceConfig& device = hardware.device;
  const bool compensated = device.compensation == DriftCompensation::global && device.drifts();
  for (int slice = 0; slice < cells.mapping.slices; ++slice) {
    SliceCells made = targets_of_slice(by_input, cells, slice);
    SliceCells before = compensated ? made : SliceCells{}, sigma;
    over_planes(made, slice, [&](Matrix& plane, int number, Matrix SliceCells::*side) {
      sigma.*side = program_plane(plane, device, streams, number);
    });
    if (compensated) {
      over_planes(before, slice, [&](Matrix& plane, int number, Matrix SliceCells::*) {
        fault_plane(plane, device, streams, number);
      });
      cells.gains.push_back(gains_of(before, made, row_parts, cells.col_parts));
    }
    cells.slices.push_back(std::move(made));
    if (sigma.plus.size() > 0) cells.noise_sigma.push_back(std::move(sigma));
  }
  return cells;
}

void reprogram(ProgrammedCells& cells, const LayerHardware& hardware, const LayerStreams& streams, int output_first,
               int input_first, const Matrix& block) {
  const Matrix& first = cells.slices.front().plus;
  if (output_first < 0 || input_first < 0 || output_first + block.rows() > first.cols() ||
      input_first + block.cols() > first.rows() || !cells.gains.empty()) {
    throw Error(ExitCode::internal, "a block that can't be programmed over the cells");
  }
  // Draws are counted by a cell's place in the whole plane, so a whole plane is programmed and the block is kept.
  Matrix by_input = Matrix::Zero(first.rows(), first.cols());
  by_input.block(input_first, output_first, block.cols(), block.rows()) = block.transpose();
  const auto keep = [&](Matrix& to, const Matrix& from) {
    to.block(input_first, output_first, block.cols(), block.rows()) =
        from.block(input_first, output_first, block.cols(), block.rows());
  };
  for (int slice = 0; slice < cells.mapping.slices; ++slice) {
    const auto index = static_cast<std::size_t>(slice);
    SliceCells written = targets_of_slice(by_input, cells, slice);
    written.unit.resize(0, 0);
    over_planes(written, slice, [&](Matrix& plane, int number, Matrix SliceCells::*side) {
      const Matrix sigma = program_plane(plane, hardware.device, streams, number);
      keep(cells.slices[index].*side, plane);
      if (sigma.size() > 0) keep(cells.noise_sigma[index].*side, sigma);
    });
  }
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
  for (const SliceCells& sigma : cells.noise_sigma) {
    swapped.noise_sigma.push_back({sigma.plus.transpose(), sigma.minus.transpose(), {}});
  }
  for (const MatrixD& gains : cells.gains) swapped.gains.emplace_back(gains.transpose());
  return swapped;
}

}  // namespace crossgrid
