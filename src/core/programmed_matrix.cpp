#include "crossgrid/core/programmed_matrix.hpp"

#include <algorithm>

#include "crossgrid/core/cell_plane.hpp"
#include "crossgrid/core/partition.hpp"
#include "crossgrid/core/weight_mapping.hpp"

namespace crossgrid {
namespace {

/// The whole matrix's cells, rows x cols: one plane for offset cells, two for balanced ones.
struct Planes {
  Matrix plus, minus;
  Matrix plus_sigma, minus_sigma;  ///< of read noise, where program_plane() gave it
  bool paired() const { return minus.size() > 0; }
};

Planes target_planes(const Matrix& weights, const WeightMapping& mapping) {
  const Matrix by_input = weights.transpose();
  Planes planes;
  planes.plus.resizeLike(by_input);
  const bool paired = mapping.style == CoreStyle::balanced;
  if (paired) planes.minus.resizeLike(by_input);
  for (Eigen::Index k = 0; k < by_input.size(); ++k) {
    const CellTargets targets = mapping(by_input.data()[k]);
    planes.plus.data()[k] = static_cast<float>(targets.plus);
    if (paired) planes.minus.data()[k] = static_cast<float>(targets.minus);
  }
  return planes;
}

/// A matrix of arrays without anything in them: places and keys.
ProgrammedMatrix laid_out(const Planes& planes, const LayerHardware& hardware, const WeightMapping& mapping) {
  ProgrammedMatrix matrix;
  matrix.rows = static_cast<int>(planes.plus.rows());
  matrix.cols = static_cast<int>(planes.plus.cols());
  const auto row_parts = partition(matrix.rows, hardware.array.rows_max, hardware.array.rows_partition);
  const auto col_parts = partition(matrix.cols, hardware.array.cols_max, hardware.array.cols_partition);
  matrix.row_blocks = static_cast<int>(row_parts.size());
  matrix.col_blocks = static_cast<int>(col_parts.size());
  matrix.output_scale = mapping.output_scale();
  matrix.offset_coefficient = mapping.offset_coefficient();
  for (const Part& rows : row_parts) {
    for (const Part& cols : col_parts) {
      Crossbar array;
      array.row_first = rows.first, array.rows = rows.count;
      array.col_first = cols.first, array.cols = cols.count;
      array.matrix_rows = matrix.rows, array.matrix_cols = matrix.cols;
      matrix.arrays.push_back(std::move(array));
    }
  }
  return matrix;
}

auto block(const Matrix& whole, const Crossbar& array) {
  return whole.block(array.row_first, array.col_first, array.rows, array.cols);
}

void fill_noiseless(ProgrammedMatrix& matrix, const Planes& planes) {
  for (Crossbar& array : matrix.arrays) {
    array.conductance = block(planes.plus, array);
    if (planes.paired()) array.conductance -= block(planes.minus, array);
  }
}

void fill_lumped(ProgrammedMatrix& matrix, const PlaneMoments& plus, const PlaneMoments* minus) {
  for (Crossbar& array : matrix.arrays) {
    array.noise = NoisePath::lumped;
    array.conductance = block(plus.mean, array);
    array.noise_variance = block(plus.variance, array);
    if (minus != nullptr) {
      array.conductance -= block(minus->mean, array);
      array.noise_variance += block(minus->variance, array);
    }
  }
}

void fill_per_cell(ProgrammedMatrix& matrix, const Planes& planes, const DeviceConfig& device) {
  fill_noiseless(matrix, planes);
  for (Crossbar& array : matrix.arrays) {
    array.noise = NoisePath::per_cell;
    array.plus = block(planes.plus, array);
    if (planes.paired()) array.minus = block(planes.minus, array);
    if (planes.plus_sigma.size() > 0) array.plus_sigma = block(planes.plus_sigma, array);
    if (planes.minus_sigma.size() > 0) array.minus_sigma = block(planes.minus_sigma, array);
    array.read_law = device.read_noise.law();
    array.read_noise = read_noise(device);
  }
}

void prepare_read_noise(ProgrammedMatrix& matrix, const Planes& planes, const DeviceConfig& device) {
  if (device.read_noise_sampling == NoiseSampling::per_cell) return fill_per_cell(matrix, planes, device);
  const PlaneMoments plus = read_moments(planes.plus, device, planes.plus_sigma);
  PlaneMoments minus;
  if (planes.paired()) minus = read_moments(planes.minus, device, planes.minus_sigma);
  const double clip_probability = std::max(plus.clip_probability, minus.clip_probability);
  if (device.read_noise_sampling == NoiseSampling::automatic &&
      !lumped_noise_is_accurate(device.read_noise.law(), clip_probability, smallest_array_rows(matrix))) {
    return fill_per_cell(matrix, planes, device);
  }
  fill_lumped(matrix, plus, planes.paired() ? &minus : nullptr);
}

double sum_of(const Planes& planes, const Crossbar& array) {
  double sum = block(planes.plus, array).cast<double>().sum();
  if (planes.paired()) sum += block(planes.minus, array).cast<double>().sum();
  return sum;
}

/// Global drift compensation (Joshi et al. 2020): an array's currents are multiplied by the ratio of what all its cells
/// conducted together when they were programmed to what they conduct now. Without errors then, with the same faults.
/// The gain comes before the ADC, as if its reference followed the drift.
void compensate_drift(ProgrammedMatrix& matrix, const Planes& nominal, const Planes& planes) {
  for (Crossbar& array : matrix.arrays) {
    const double now = sum_of(planes, array);
    if (!(now > 0)) continue;
    array.gain = static_cast<float>(sum_of(nominal, array) / now);
    array.conductance *= array.gain;
    array.noise_variance *= array.gain * array.gain;
  }
}

void program(Planes& planes, const DeviceConfig& device, const LayerStreams& streams) {
  planes.plus_sigma = program_plane(planes.plus, device, streams, 0);
  if (planes.paired()) planes.minus_sigma = program_plane(planes.minus, device, streams, 1);
}

/// What the planes would be without errors and drift.
Planes faulty_targets(const Planes& targets, const DeviceConfig& device, const LayerStreams& streams) {
  Planes planes = targets;
  fault_plane(planes.plus, device, streams, 0);
  if (planes.paired()) fault_plane(planes.minus, device, streams, 1);
  return planes;
}

/// Where nothing is between a column's current and the digital offset, the offset is taken off the conductances: one
/// product, and no small difference of large sums.
void fold_offset(ProgrammedMatrix& matrix) {
  const auto offset = static_cast<float>(matrix.offset_coefficient / matrix.output_scale);
  for (Crossbar& array : matrix.arrays) array.conductance.array() -= offset;
  matrix.offset_coefficient = 0;
}

}  // namespace

bool lumped_noise_is_accurate(DrawLaw law, double clip_probability, int rows) {
  return (law == DrawLaw::normal && clip_probability < 1e-12) || rows >= 64;
}

int smallest_array_rows(const ProgrammedMatrix& matrix) {
  return std::ranges::min(matrix.arrays, {}, &Crossbar::rows).rows;
}

ProgrammedMatrix program_matrix(const Matrix& weights, const LayerHardware& hardware, std::uint64_t seed,
                                std::uint32_t trial, std::uint32_t layer) {
  const WeightMapping mapping = make_weight_mapping(weights, hardware);
  Planes planes = target_planes(weights, mapping);
  const DeviceConfig& device = hardware.device;
  const LayerStreams streams{seed, trial, layer};
  const bool compensated = device.compensation == DriftCompensation::global && device.drifts();
  const Planes nominal = compensated ? faulty_targets(planes, device, streams) : Planes{};
  program(planes, device, streams);
  ProgrammedMatrix matrix = laid_out(planes, hardware, mapping);
  if (device.read_noise.active()) {
    prepare_read_noise(matrix, planes, device);
    for (std::size_t k = 0; k < matrix.arrays.size(); ++k) {
      Crossbar& array = matrix.arrays[k];
      array.lumped_key = streams.key(DrawPurpose::lumped_read_noise, static_cast<int>(k) / matrix.col_blocks);
      array.plus_key = streams.key(DrawPurpose::cell_read_noise, 0);
      array.minus_key = streams.key(DrawPurpose::cell_read_noise, 1);
    }
  } else {
    fill_noiseless(matrix, planes);
  }
  if (compensated) compensate_drift(matrix, nominal, planes);
  const bool per_cell = matrix.arrays.front().noise == NoisePath::per_cell;
  if (hardware.adc.model == ConverterModel::ideal && !per_cell) fold_offset(matrix);
  return matrix;
}

ProgrammedMatrix nominal_matrix(const Matrix& weights, const LayerHardware& hardware) {
  LayerHardware nominal = hardware;
  nominal.device = hardware.device.nominal();
  return program_matrix(weights, nominal, 0, 0, 0);
}

bool bipolar_currents(const LayerHardware& hardware, bool signed_inputs) {
  return signed_inputs || hardware.core.style == CoreStyle::balanced;
}

}  // namespace crossgrid
