#pragma once

#include <cstdint>
#include <utility>

#include "crossgrid/base/id128.hpp"
#include "crossgrid/sweep/grid.hpp"

namespace crossgrid {

/// What all points of a sweep share (rule R5): network, data, images, calibration, seed, physics version.
class PointContext {
 public:
  /// Error(bad_input) where the image range lies beyond the split.
  PointContext(const SweepFile& sweep, const GridContext& facts);

  /// Error(bad_input) where calibration images lie beyond their split or meet the test images.
  void check_calibration(const SweepFile& sweep) const;

  /// The seed counts only where random numbers are drawn, calibration only where something is calibrated.
  Id128 id(bool draws, bool calibrates) const { return ids_[draws ? 1 : 0][calibrates ? 1 : 0]; }
  Json leaves(bool draws, bool calibrates) const;

 private:
  Json always_;
  Json seed_;
  Json calibration_;
  std::pair<std::uint64_t, std::uint64_t> images_;
  std::uint64_t calibration_images_ = 0;  ///< in the split; 0: not known
  Id128 ids_[2][2];
};

/// Parameters that have an effect, as path -> value where all analog layers agree, else path@layer -> value.
void add_hardware_leaves(Json& flat, const std::vector<MatrixLayer>& layers,
                         const std::vector<LayerHardware>& hardware);

}  // namespace crossgrid
