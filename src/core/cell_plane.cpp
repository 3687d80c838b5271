#include "crossgrid/core/cell_plane.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <span>
#include <vector>

#include "crossgrid/backend/launch.hpp"
#include "crossgrid/base/error.hpp"
#include "crossgrid/base/standard_draws.hpp"
#include "crossgrid/device/cell_fault.hpp"
#include "crossgrid/device/clipped_moments.hpp"
#include "crossgrid/device/measured_cell.hpp"

namespace crossgrid {
namespace {

CROSSGRID_MULTIVERSION
void run(std::size_t count, const PerturbCell& element) {
  for_each_index(count, element);
}

CROSSGRID_MULTIVERSION
void run(std::size_t count, const StickCell& element) {
  for_each_index(count, element);
}

CROSSGRID_MULTIVERSION
void run(std::size_t count, const SpreadOfCell& element) {
  for_each_index(count, element);
}

CROSSGRID_MULTIVERSION
void run(std::size_t count, const FlickerOfCell& element) {
  for_each_index(count, element);
}

CROSSGRID_MULTIVERSION
void run(std::size_t count, const ShiftCell& element) {
  for_each_index(count, element);
}

CROSSGRID_MULTIVERSION
void run(std::size_t count, const ScatterCell& element) {
  for_each_index(count, element);
}

CROSSGRID_MULTIVERSION
void run(std::size_t count, const DriftCell& element) {
  for_each_index(count, element);
}

CROSSGRID_MULTIVERSION
void run(std::size_t count, const KillCell& element) {
  for_each_index(count, element);
}

constexpr std::size_t at_once = 4096;

/// One draw per cell, counted by its place in the plane: change(first, count, draws) makes what the cells become.
template <class Change>
void change_plane(const Matrix& cells, DrawLaw law, PhiloxKey key, const Change& change) {
  float draws[at_once];
  const auto size = static_cast<std::size_t>(cells.size());
  for (std::size_t first = 0; first < size; first += at_once) {
    const std::size_t count = std::min(at_once, size - first);
    fill_draws(law, std::span(draws, count), {key, 0, 0}, first);
    change(first, count, draws);
  }
}

/// Cells scatter by a measured sigma(g), each with the draw that a programming error has too.
void scatter(Matrix& cells, const CurveView& sigma_of, ConductanceLimits<float> limits, PhiloxKey key) {
  float sigma[at_once];
  change_plane(cells, DrawLaw::normal, key, [&](std::size_t first, std::size_t count, const float* draws) {
    run(count, SpreadOfCell{cells.data() + first, sigma, sigma_of});
    run(count, ScatterCell{cells.data() + first, sigma, draws, limits});
  });
}

void add_programming_error(Matrix& cells, const DeviceConfig& device, ConductanceLimits<float> limits, PhiloxKey key) {
  if (device.programming_error.model == ErrorModel::device) {
    const Curve& sigma = device.measured->programming_error->sigma;
    return scatter(cells, sigma.view(device.g_max(), device.read_voltage), limits, key);
  }
  const NoisyConductance<float> error{make_error<float>(device.programming_error), limits};
  change_plane(cells, device.programming_error.law(), key,
               [&](std::size_t first, std::size_t count, const float* draws) {
                 run(count, PerturbCell{cells.data() + first, draws, error});
               });
}

/// The whole distribution at time t: moved means, and a scatter about them.
void take_distribution(Matrix& cells, const DeviceConfig& device, PhiloxKey key) {
  const DistributionDrift& drift = *device.measured->drift->distribution;
  const Curve shift = curve_at_time(drift.times, drift.shift, device.drift_time());
  const Curve sigma = curve_at_time(drift.times, drift.sigma, device.drift_time());
  run(static_cast<std::size_t>(cells.size()), ShiftCell{cells.data(), shift.view(device.g_max(), device.read_voltage)});
  scatter(cells, sigma.view(device.g_max(), device.read_voltage), make_limits<float>(device), key);
}

/// Every cell decays by its own exponent, which its target decides.
void decay(Matrix& cells, const Matrix& targets, const DeviceConfig& device, PhiloxKey key) {
  const PowerLawDrift& drift = *device.measured->drift->power_law;
  const CurveView mean_of = drift.mean.view(device.g_max(), device.read_voltage);
  const CurveView sigma_of = drift.sigma.view(device.g_max(), device.read_voltage);
  const double log_time = portable_log(device.drift_time() / device.measured->t0);
  const auto limits = make_limits<float>(device);
  float mean[at_once], sigma[at_once];
  change_plane(cells, DrawLaw::normal, key, [&](std::size_t first, std::size_t count, const float* draws) {
    run(count, SpreadOfCell{targets.data() + first, mean, mean_of});
    run(count, SpreadOfCell{targets.data() + first, sigma, sigma_of});
    run(count, DriftCell{cells.data() + first, mean, sigma, draws, log_time, limits});
  });
}

void stick_cells(Matrix& cells, const DeviceConfig& device, PhiloxKey key) {
  const CellFault fault = make_cell_fault(device);
  change_plane(cells, DrawLaw::uniform, key, [&](std::size_t first, std::size_t count, const float* draws) {
    run(count, StickCell{cells.data() + first, draws, fault});
  });
}

void apply_map(Matrix& cells, const DeviceConfig& device, int plane) {
  const FaultMap& map = *device.faults.map;
  if (map.rows != cells.rows() || map.cols != cells.cols() || (map.planes != 1 && plane >= map.planes)) {
    throw Error(ExitCode::bad_input, fmt::format("device.faults.map has {} plane(s) of {} x {} cells, but the layer's "
                                                 "matrix has {} x {}",
                                                 map.planes, map.rows, map.cols, cells.rows(), cells.cols()));
  }
  const std::uint8_t* const states = map.plane(plane);
  const auto g_off = static_cast<float>(device.g_min());
  for (Eigen::Index k = 0; k < cells.size(); ++k) {
    if (states[k] != FaultMap::good) cells.data()[k] = states[k] == FaultMap::on ? 1.0f : g_off;
  }
}

/// Draws of a plane's lines; the same lines are dead at every rate above theirs.
std::vector<float> line_draws(Eigen::Index count, PhiloxKey key) {
  std::vector<float> draws(static_cast<std::size_t>(count));
  fill_draws(DrawLaw::uniform, draws, {key, 0, 0}, 0);
  return draws;
}

void kill_lines(Matrix& cells, const DeviceConfig& device, const LayerStreams& streams, int plane) {
  const std::vector<float> rows = line_draws(cells.rows(), streams.key(DrawPurpose::dead_row, 0));
  const std::vector<float> columns = line_draws(cells.cols(), streams.key(DrawPurpose::dead_column, plane));
  run(static_cast<std::size_t>(cells.size()),
      KillCell{cells.data(), rows.data(), columns.data(), static_cast<std::size_t>(cells.cols()),
               uniform_quantile(device.faults.dead_rows), uniform_quantile(device.faults.dead_columns)});
}

/// Of measured read noise; `programmed` holds the cells before they drifted.
void measured_sigma(const Matrix& cells, const Matrix& programmed, const DeviceConfig& device, Matrix& sigma) {
  const MeasuredReadNoise& noise = *device.measured->read_noise;
  const CurveView curve = noise.sigma.view(device.g_max(), device.read_voltage);
  const auto size = static_cast<std::size_t>(cells.size());
  if (noise.t_read) {
    run(size, FlickerOfCell{cells.data(), programmed.data(), sigma.data(), curve,
                            flicker_growth(device.drift_time(), *noise.t_read)});
  } else {
    run(size, SpreadOfCell{cells.data(), sigma.data(), curve});
  }
}

/// Standard deviations of read noise where it is measured or lines are dead: those stay silent.
Matrix read_sigma(const Matrix& cells, const Matrix& programmed, const DeviceConfig& device,
                  const LayerStreams& streams, int plane) {
  const bool measured = device.read_noise.model == ErrorModel::device;
  if (!device.read_noise.active() || (!measured && !device.faults.lines())) return {};
  Matrix sigma(cells.rows(), cells.cols());
  if (measured) {
    measured_sigma(cells, programmed, device, sigma);
  } else {
    const auto error = make_error<float>(device.read_noise);
    for (Eigen::Index k = 0; k < cells.size(); ++k) sigma.data()[k] = error.sigma(cells.data()[k]);
  }
  if (device.faults.lines()) kill_lines(sigma, device, streams, plane);
  return sigma;
}

}  // namespace

void fault_plane(Matrix& cells, const DeviceConfig& device, const LayerStreams& streams, int plane) {
  if (device.faults.cells()) stick_cells(cells, device, streams.key(DrawPurpose::cell_fault, plane));
  if (device.faults.map) apply_map(cells, device, plane);
  if (device.faults.lines()) kill_lines(cells, device, streams, plane);
}

Matrix program_plane(Matrix& cells, const DeviceConfig& device, const LayerStreams& streams, int plane) {
  const PhiloxKey key = streams.written_key(DrawPurpose::programming_error, plane);
  const bool decays = device.drifts() && !device.scatters_by_drift();
  Matrix targets, programmed;
  if (decays) targets = cells;
  if (device.scatters_by_drift()) {
    take_distribution(cells, device, key);
  } else if (device.programming_error.active()) {
    // Limits come last: of cells that still decay only the natural one holds.
    const ConductanceLimits<float> natural{0, std::numeric_limits<float>::infinity()};
    add_programming_error(cells, device, decays ? natural : make_limits<float>(device), key);
  }
  if (decays) {
    programmed = cells;
    decay(cells, targets, device, streams.written_key(DrawPurpose::drift_exponent, plane));
    fault_plane(programmed, device, streams, plane);
  }
  fault_plane(cells, device, streams, plane);
  return read_sigma(cells, decays ? programmed : cells, device, streams, plane);
}

PlaneMoments read_moments(const Matrix& cells, const DeviceConfig& device, const Matrix& sigma) {
  PlaneMoments moments{Matrix(cells.rows(), cells.cols()), Matrix(cells.rows(), cells.cols()), 0};
  const auto error = make_error<double>(device.read_noise);
  const auto limits = make_limits<double>(device);
  const DrawLaw law = device.read_noise.law();
  const bool own = sigma.size() > 0;
  for (Eigen::Index k = 0; k < cells.size(); ++k) {
    const double g = cells.data()[k];
    const double spread = own ? static_cast<double>(sigma.data()[k]) : error.sigma(g);
    // What does not scatter stays as it is, beyond the limits too: a dead line's cells.
    const ClippedMoments cell =
        own && spread == 0 ? ClippedMoments{g, 0, 0} : clipped_moments(law, g, spread, limits.low, limits.high);
    moments.mean.data()[k] = static_cast<float>(cell.mean);
    moments.variance.data()[k] = static_cast<float>(cell.variance);
    moments.clip_probability = std::max(moments.clip_probability, cell.clip_probability);
  }
  return moments;
}

NoisyConductance<float> read_noise(const DeviceConfig& device) {
  return {make_error<float>(device.read_noise), make_limits<float>(device)};
}

}  // namespace crossgrid
