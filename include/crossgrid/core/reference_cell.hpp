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
  /// `cols`: of the plane, where its lines or a map matter.
  explicit ReferenceCell(const DeviceConfig& device, int cols = 1);

  /// A cell after programming, drift and faults.
  struct Cell {
    double g = 0;
    double spread = 0;  ///< of its read noise: standard deviation of a normal one, full width of a uniform one
    operator double() const { return g; }
  };
  /// What a target becomes: cell `index` of a plane.
  Cell programmed(double target, const LayerStreams& streams, int plane, std::uint64_t index) const;
  /// What it would be without errors and drift, but with its faults.
  double nominal(double target, const LayerStreams& streams, int plane, std::uint64_t index) const;
  /// One read of a programmed cell, with draw `index`.
  double read(const Cell& cell, const DrawSequence& draws, std::uint64_t index) const;

  /// Current of a conductance g at a normalised voltage x beyond the ohmic g x (device.iv.model).
  double nonlinear_current(double g, double x) const;

  struct Moments {
    double mean = 0, variance = 0;
    double clips = 0;  ///< probability that a limit is met
  };
  /// Of read().
  Moments moments(const Cell& cell) const;

 private:
  double limited(double g) const;
  double without_faults(double target, const LayerStreams& streams, int plane, std::uint64_t index,
                        double& programmed) const;
  double with_faults(double g, const LayerStreams& streams, int plane, std::uint64_t index) const;
  bool dead(const LayerStreams& streams, int plane, std::uint64_t index) const;
  double read_spread(double g, double programmed) const;

  const DeviceConfig& device_;
  int cols_ = 1;
  double low_ = 0, high_ = 0;
};

}  // namespace crossgrid
