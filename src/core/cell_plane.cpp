#include "crossgrid/core/cell_plane.hpp"

#include <algorithm>
#include <span>

#include "crossgrid/backend/launch.hpp"
#include "crossgrid/base/standard_draws.hpp"
#include "crossgrid/device/cell_fault.hpp"
#include "crossgrid/device/clipped_moments.hpp"

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

/// One draw per cell, counted by its place in the plane: element(cells, draws) makes what a cell becomes.
template <class MakeElement>
void change_plane(Matrix& cells, DrawLaw law, PhiloxKey key, const MakeElement& element) {
  constexpr std::size_t at_once = 4096;
  float draws[at_once];
  const auto size = static_cast<std::size_t>(cells.size());
  for (std::size_t first = 0; first < size; first += at_once) {
    const std::size_t count = std::min(at_once, size - first);
    fill_draws(law, std::span(draws, count), {key, 0, 0}, first);
    run(count, element(cells.data() + first, draws));
  }
}

}  // namespace

void program_plane(Matrix& cells, const DeviceConfig& device, const LayerStreams& streams, int plane) {
  if (device.programming_error.active()) {
    const NoisyConductance<float> error{make_error<float>(device.programming_error), make_limits<float>(device)};
    change_plane(cells, device.programming_error.law(), streams.key(DrawPurpose::programming_error, plane),
                 [&](float* to, const float* draws) {
                   return PerturbCell{to, draws, error};
                 });
  }
  if (device.faults.active()) {
    const CellFault fault = make_cell_fault(device);
    change_plane(cells, DrawLaw::uniform, streams.key(DrawPurpose::cell_fault, plane),
                 [&](float* to, const float* draws) {
                   return StickCell{to, draws, fault};
                 });
  }
}

PlaneMoments read_moments(const Matrix& cells, const DeviceConfig& device) {
  PlaneMoments moments{Matrix(cells.rows(), cells.cols()), Matrix(cells.rows(), cells.cols()), 0};
  const auto error = make_error<double>(device.read_noise);
  const auto limits = make_limits<double>(device);
  const DrawLaw law = device.read_noise.law();
  for (Eigen::Index k = 0; k < cells.size(); ++k) {
    const double g = cells.data()[k];
    const ClippedMoments cell = clipped_moments(law, g, error.sigma(g), limits.low, limits.high);
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
