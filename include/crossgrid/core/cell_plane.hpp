#pragma once

#include <cstdint>

#include "crossgrid/base/matrix.hpp"
#include "crossgrid/base/random_stream.hpp"
#include "crossgrid/device/conductance_error.hpp"
#include "crossgrid/device/device_config.hpp"

/// What devices do to a plane of cells: conductances normalised by Gmax, rows x cols of the whole matrix.
namespace crossgrid {

/// Where the random numbers of one layer of one chip come from. Planes of cells are counted from 0.
struct LayerStreams {
  std::uint64_t seed = 0;
  std::uint32_t trial = 0;
  std::uint32_t layer = 0;
  std::uint32_t write = 0;  ///< how often cells were programmed before: each time has errors of its own

  PhiloxKey key(DrawPurpose purpose, int plane) const {
    return stream_key(seed, trial, purpose, layer, static_cast<std::uint32_t>(plane));
  }
  /// Of what a cell gets when it is written. Planes are below 256.
  PhiloxKey written_key(DrawPurpose purpose, int plane) const {
    return stream_key(seed, trial, purpose, layer, (write << 8) | static_cast<std::uint32_t>(plane));
  }
};

/// Programming errors, drift, then faults: targets become conductances. A cell's draw is counted by its place in the
/// plane. Returns the standard deviation of each cell's read noise where the conductance alone does not give it (a
/// measured device, dead lines); else an empty matrix.
Matrix program_plane(Matrix& cells, const DeviceConfig& device, const LayerStreams& streams, int plane);

/// Only the faults: stuck cells, the map of faults, dead lines. A dead row is dead in all planes, since the cells of a
/// pair are driven by one word line; columns of different planes are different bit lines. Lines are the whole matrix's.
void fault_plane(Matrix& cells, const DeviceConfig& device, const LayerStreams& streams, int plane);

/// Mean and variance of every cell under (clipped) read noise.
struct PlaneMoments {
  Matrix mean, variance;
  double clip_probability = 0;  ///< the largest
};
/// `sigma` is what program_plane() returned.
PlaneMoments read_moments(const Matrix& cells, const DeviceConfig& device, const Matrix& sigma = {});

/// One read of a cell whose read noise its conductance gives.
NoisyConductance<float> read_noise(const DeviceConfig& device);

}  // namespace crossgrid
