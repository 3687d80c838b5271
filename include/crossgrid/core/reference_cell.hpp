#pragma once

#include <cstdint>

#include "crossgrid/base/draw_sequence.hpp"
#include "crossgrid/core/cell_plane.hpp"
#include "crossgrid/device/device_config.hpp"

namespace crossgrid {

/// The slow truth of one cell that tests hold the fast paths to: in double, with its own formulas (physics.md section
/// 4) and the same random draws. Conductances normalised by Gmax.
class ReferenceCell {
 public:
  explicit ReferenceCell(const DeviceConfig& device);

  /// What a target becomes: cell `index` of a plane.
  double programmed(double target, const LayerStreams& streams, int plane, std::uint64_t index) const;
  /// One read of a programmed cell, with draw `index`.
  double read(double g, const DrawSequence& draws, std::uint64_t index) const;

  struct Moments {
    double mean = 0, variance = 0;
    double clips = 0;  ///< probability that a limit is met
  };
  /// Of read().
  Moments moments(double g) const;

 private:
  double limited(double g) const;

  const DeviceConfig& device_;
  double low_ = 0, high_ = 0;
};

}  // namespace crossgrid
