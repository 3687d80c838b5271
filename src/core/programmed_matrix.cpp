#include "crossgrid/core/programmed_matrix.hpp"

#include <algorithm>
#include <cmath>

#include "crossgrid/core/array_circuits.hpp"
#include "crossgrid/core/cell_plane.hpp"
#include "crossgrid/core/weight_mapping.hpp"
#include "crossgrid/core/wired_conductance.hpp"

namespace crossgrid {
namespace {

/// Values of cells (conductances, their means or variances), by slice.
using AllCells = std::vector<SliceCells>;

/// Mean and variance of every cell under read noise.
struct AllMoments {
  AllCells mean, variance;
  double clip_probability = 0;  ///< the largest
};

AllMoments moments_of(const ProgrammedCells& programmed, const DeviceConfig& device) {
  const AllCells& cells = programmed.slices;
  AllMoments moments{AllCells(cells.size()), AllCells(cells.size()), 0};
  for (std::size_t slice = 0; slice < cells.size(); ++slice) {
    for (Matrix SliceCells::*side : {&SliceCells::plus, &SliceCells::minus, &SliceCells::unit}) {
      if ((cells[slice].*side).size() == 0) continue;
      const Matrix sigma = programmed.noise_sigma.empty() ? Matrix() : programmed.noise_sigma[slice].*side;
      PlaneMoments plane = read_moments(cells[slice].*side, device, sigma);
      moments.mean[slice].*side = std::move(plane.mean);
      moments.variance[slice].*side = std::move(plane.variance);
      moments.clip_probability = std::max(moments.clip_probability, plane.clip_probability);
    }
  }
  return moments;
}

/// Cells (or, with power 2, their variances) times the gains of their arrays.
AllCells with_gains(AllCells cells, const ProgrammedCells& programmed, const std::vector<RowGroup>& groups, int power) {
  if (programmed.gains.empty()) return cells;
  for (std::size_t slice = 0; slice < cells.size(); ++slice) {
    for (const RowGroup& group : groups) {
      for (std::size_t part = 0; part < programmed.col_parts.size(); ++part) {
        const double gain = programmed.gains[slice](group.array, static_cast<Eigen::Index>(part));
        const auto factor = static_cast<float>(power == 2 ? gain * gain : gain);
        const Part &rows = group.rows, &cols = programmed.col_parts[part];
        for (Matrix SliceCells::*side : {&SliceCells::plus, &SliceCells::minus}) {
          Matrix& plane = cells[slice].*side;
          if (plane.size() > 0) plane.block(rows.first, cols.first, rows.count, cols.count) *= factor;
        }
        Matrix& unit = cells[slice].unit;
        if (unit.size() > 0) unit.block(rows.first, static_cast<Eigen::Index>(part), rows.count, 1) *= factor;
      }
    }
  }
  return cells;
}

/// Arrays without anything in them: places and keys of noise.
void lay_out(ProgrammedMatrix& matrix, const LayerStreams& streams) {
  const bool units = matrix.scheme.unit_columns;
  matrix.columns = matrix.cols + (units ? static_cast<int>(matrix.col_parts.size()) : 0);
  for (const CellPlane& plane : matrix.planes) {
    const bool minus = plane.scale < 0;
    for (std::size_t group = 0; group < matrix.groups.size(); ++group) {
      int column = 0;
      for (const Part& cols : matrix.col_parts) {
        Crossbar array;
        array.row_first = matrix.groups[group].rows.first, array.rows = matrix.groups[group].rows.count;
        array.col_first = column, array.cols = cols.count + (units ? 1 : 0);
        array.matrix_rows = matrix.rows, array.matrix_cols = matrix.columns;
        array.noise = matrix.noise;
        array.lumped_key = streams.key(DrawPurpose::lumped_read_noise, static_cast<int>(group));
        array.plus_key = streams.key(DrawPurpose::cell_read_noise, plane_of(plane.slice, minus));
        array.minus_key = streams.key(DrawPurpose::cell_read_noise, plane_of(plane.slice, true));
        array.cycle = static_cast<std::uint32_t>(plane_of(plane.slice, minus)) << 8;
        column += array.cols;
        matrix.arrays.push_back(std::move(array));
      }
    }
  }
}

/// Some rows of one array's part of a plane of the whole matrix, its unit column first.
Matrix part_of(const SliceCells& cells, Matrix SliceCells::*side, const ProgrammedMatrix& matrix, const Part& rows,
               int col_part) {
  const Part& cols = matrix.col_parts[static_cast<std::size_t>(col_part)];
  Matrix part(rows.count, cols.count + (matrix.scheme.unit_columns ? 1 : 0));
  if (matrix.scheme.unit_columns) part.col(0) = cells.unit.block(rows.first, col_part, rows.count, 1);
  part.rightCols(cols.count) = (cells.*side).block(rows.first, cols.first, rows.count, cols.count);
  return part;
}

template <class Body>
void for_each_array(ProgrammedMatrix& matrix, const Body& body) {
  auto array = matrix.arrays.begin();
  for (const CellPlane& plane : matrix.planes) {
    for (std::size_t group = 0; group < matrix.groups.size(); ++group) {
      for (int col_part = 0; col_part < static_cast<int>(matrix.col_parts.size()); ++col_part, ++array) {
        body(*array, plane, col_part);
      }
    }
  }
}

Matrix collapsed_variance(const AllCells& variance, const WeightMapping& mapping) {
  MatrixD sum = MatrixD::Zero(variance[0].plus.rows(), variance[0].plus.cols());
  for (int slice = 0; slice < mapping.slices; ++slice) {
    const SliceCells& own = variance[static_cast<std::size_t>(slice)];
    const double square = mapping.output_scale(slice) * mapping.output_scale(slice);
    sum += square * own.plus.cast<double>();
    if (own.minus.size() > 0) sum += square * own.minus.cast<double>();
  }
  return sum.cast<float>();
}

auto block(const Matrix& whole, const Crossbar& array) {
  return whole.block(array.row_first, array.col_first, array.rows, array.cols);
}

/// Everything in one plane of weight units: slices, sides and unit columns that meet nothing before their sum.
void fill_collapsed(ProgrammedMatrix& matrix, const ProgrammedCells& mean, const AllCells& variance) {
  const Matrix conductance = held_weights(mean).cast<float>();
  const bool lumped = matrix.noise == NoisePath::lumped;
  const Matrix noise = lumped ? collapsed_variance(variance, mean.mapping) : Matrix();
  for (Crossbar& array : matrix.arrays) {
    array.conductance = block(conductance, array);
    if (lumped) array.noise_variance = block(noise, array);
  }
  matrix.offset_coefficient = 0;
}

/// The planes of a nonlinear current beyond the first power.
std::vector<CurrentPlane> higher_powers(const Matrix& cells, const DeviceConfig& device) {
  std::vector<CurrentPlane> planes = current_planes(cells, device);
  planes.erase(planes.begin());
  return planes;
}
void subtract(std::vector<CurrentPlane>& from, const std::vector<CurrentPlane>& planes) {
  for (std::size_t k = 0; k < from.size(); ++k) from[k].coefficients -= planes[k].coefficients;
}

/// A plane per slice and, where they are apart, per side.
void fill_apart(ProgrammedMatrix& matrix, const AllCells& mean, const AllCells& variance,
                const ProgrammedCells& programmed, const DeviceConfig& device) {
  const bool paired = mean[0].minus.size() > 0;
  for_each_array(matrix, [&](Crossbar& array, const CellPlane& plane, int col_part) {
    const auto slice = static_cast<std::size_t>(plane.slice);
    const auto side = plane.scale < 0 ? &SliceCells::minus : &SliceCells::plus;
    const bool net = paired && !matrix.scheme.sides;
    // Whatever is driven, circuits read all cells of their arrays.
    const bool circuits = array.circuits.plus != nullptr;
    const Part rows =
        circuits ? Part{array.circuits.row_first, array.circuits.rows} : Part{array.row_first, array.rows};
    const auto part = [&](const AllCells& from, Matrix SliceCells::*which) {
      return part_of(from[slice], which, matrix, rows, col_part);
    };
    if (!circuits) array.conductance = part(mean, side);
    if (!circuits && net) array.conductance -= part(mean, &SliceCells::minus);
    if (!circuits && device.iv != IvModel::linear) {
      array.powers = higher_powers(part(programmed.slices, side), device);
      if (net) subtract(array.powers, higher_powers(part(programmed.slices, &SliceCells::minus), device));
    }
    if (matrix.noise == NoisePath::lumped) {
      array.noise_variance = part(variance, side);
      if (net) array.noise_variance += part(variance, &SliceCells::minus);
    } else if (matrix.noise == NoisePath::per_cell) {
      array.plus = part(programmed.slices, side);
      if (net) array.minus = part(programmed.slices, &SliceCells::minus);
      if (!programmed.noise_sigma.empty()) {
        array.plus_sigma = part(programmed.noise_sigma, side);
        if (net) array.minus_sigma = part(programmed.noise_sigma, &SliceCells::minus);
      }
      if (!programmed.gains.empty()) {
        const auto group =
            std::ranges::find(matrix.groups, array.row_first, [](const RowGroup& g) { return g.rows.first; });
        array.gain = static_cast<float>(programmed.gains[slice](group->array, col_part));
        for (CurrentPlane& power : array.powers) power.coefficients *= array.gain;
      }
      array.read_law = device.read_noise.law();
      array.read_noise = read_noise(device);
    }
  });
}

/// circuits: by plane, row array, column array.
void place_circuits(ProgrammedMatrix& matrix, const std::vector<ArrayCircuits>& circuits,
                    const std::vector<Part>& row_parts) {
  std::size_t k = 0;
  for (std::size_t plane = 0; plane < matrix.planes.size(); ++plane) {
    for (const RowGroup& group : matrix.groups) {
      for (std::size_t part = 0; part < matrix.col_parts.size(); ++part, ++k) {
        const std::size_t row_array = plane * row_parts.size() + static_cast<std::size_t>(group.array);
        matrix.arrays[k].circuits = circuits[row_array * matrix.col_parts.size() + part];
      }
    }
  }
}

NoisePath noise_path(const DeviceConfig& device, double clip_probability, int rows) {
  if (!device.read_noise.active()) return NoisePath::none;
  const NoiseSampling sampling = device.read_noise_sampling;
  const bool lumped =
      sampling == NoiseSampling::lumped || (sampling == NoiseSampling::automatic &&
                                            lumped_noise_is_accurate(device.read_noise.law(), clip_probability, rows));
  return lumped ? NoisePath::lumped : NoisePath::per_cell;
}

}  // namespace

bool lumped_noise_is_accurate(DrawLaw law, double clip_probability, int rows) {
  return (law == DrawLaw::normal && clip_probability < 1e-12) || rows >= 64;
}

double lumped_noise_bound(int rows) {
  return 0.56 * 1.985 / std::sqrt(rows);
}

AdcStreams adc_streams(const LayerStreams& streams, int plane, int row_array, int col_array) {
  const int array = (plane << 26) | (row_array << 13) | col_array;
  return {streams.key(DrawPurpose::adc_mismatch, array), streams.key(DrawPurpose::adc_draw, array)};
}

int smallest_group(const std::vector<RowGroup>& groups) {
  return std::ranges::min(groups, {}, [](const RowGroup& group) { return group.rows.count; }).rows.count;
}

ProgrammedMatrix assemble(const ProgrammedCells& programmed, const LayerHardware& hardware, const LayerStreams& streams,
                          const ParallelLoop& loop) {
  const WeightMapping& mapping = programmed.mapping;
  const AllCells& cells = programmed.slices;
  const DeviceConfig& device = hardware.device;
  ProgrammedMatrix matrix;
  matrix.rows = static_cast<int>(cells[0].plus.rows());
  matrix.cols = static_cast<int>(cells[0].plus.cols());
  const ArrayConfig& array = hardware.array;
  const std::vector<Part> row_parts = partition(matrix.rows, array.rows_max, array.rows_partition);
  matrix.groups = row_groups(row_parts, array.rows_active);
  matrix.col_parts = programmed.col_parts;
  matrix.conductance_step = mapping.conductance_step();
  matrix.offset_coefficient = mapping.offset_coefficient();

  AllMoments moments;
  if (device.read_noise.active() && device.read_noise_sampling != NoiseSampling::per_cell) {
    moments = moments_of(programmed, device);
  }
  matrix.clip_probability = moments.clip_probability;
  const bool circuits = hardware.solves_circuits();
  matrix.noise = noise_path(device, moments.clip_probability, smallest_group(matrix.groups));
  if (circuits && matrix.noise == NoisePath::lumped) matrix.noise = NoisePath::per_cell;
  const bool lumped = matrix.noise == NoisePath::lumped;
  AllCells conductances = lumped ? moments.mean : cells;
  if (array.wires.any() && !circuits) {
    conductances = wired_conductances(std::move(conductances), row_parts, programmed.col_parts, hardware, loop);
  }
  const AllCells mean = with_gains(std::move(conductances), programmed, matrix.groups, 1);
  if (lumped) moments.variance = with_gains(std::move(moments.variance), programmed, matrix.groups, 2);
  matrix.scheme = conversion_scheme(hardware, matrix.noise);

  const bool converted = hardware.adc.model != ConverterModel::ideal || array.column_current_max.has_value();
  const bool linear = device.iv == IvModel::linear;
  if (!converted && linear && !circuits && matrix.noise != NoisePath::per_cell && !matrix.scheme.unit_columns) {
    matrix.planes = {{0, 1}};
    lay_out(matrix, streams);
    fill_collapsed(matrix, {mapping, programmed.col_parts, mean, {}, {}}, moments.variance);
    return matrix;
  }
  for (int slice = 0; slice < mapping.slices; ++slice) {
    matrix.planes.push_back({slice, mapping.output_scale(slice)});
    if (matrix.scheme.sides) matrix.planes.push_back({slice, -mapping.output_scale(slice)});
  }
  lay_out(matrix, streams);
  if (circuits) place_circuits(matrix, array_circuits(matrix, programmed, row_parts, hardware, loop), row_parts);
  fill_apart(matrix, mean, moments.variance, programmed, device);
  return matrix;
}

ProgrammedMatrix program_matrix(const Matrix& weights, const LayerHardware& hardware, std::uint64_t seed,
                                std::uint32_t trial, std::uint32_t layer, const ParallelLoop& loop) {
  const LayerStreams streams{seed, trial, layer};
  return assemble(program_cells(weights, hardware, streams), hardware, streams, loop);
}

ProgrammedMatrix nominal_matrix(const Matrix& weights, const LayerHardware& hardware, const ParallelLoop& loop) {
  return program_matrix(weights, hardware.nominal(), 0, 0, 0, loop);
}

bool bipolar_currents(const LayerHardware& hardware, bool signed_inputs) {
  const bool difference = hardware.core.style == CoreStyle::balanced &&
                          (hardware.core.subtract == Subtraction::analog || hardware.core.interleaved);
  return signed_inputs || difference;
}

}  // namespace crossgrid
