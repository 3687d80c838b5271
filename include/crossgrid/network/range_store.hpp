#pragma once

#include <optional>
#include <span>
#include <vector>

#include "crossgrid/core/layer_hardware.hpp"
#include "crossgrid/network/layer_ranges.hpp"

namespace crossgrid {

/// Calibrated ranges kept from one process to the next. hardware: one per matrix layer, only what calibration depends
/// on.
class RangeStore {
 public:
  virtual ~RangeStore() = default;
  /// By matrix layer; nothing where they were never kept, or can't be read.
  virtual std::optional<std::vector<LayerRanges>> find(std::span<const LayerHardware> hardware) = 0;
  /// A store that can't keep them does not fail: they will be calibrated again.
  virtual void keep(std::span<const LayerHardware> hardware, std::span<const LayerRanges> ranges) = 0;
};

}  // namespace crossgrid
