#pragma once

#include <optional>

#include "crossgrid/core/layer_hardware.hpp"

namespace crossgrid {

/// Cells that hold integers (digits of weights) times a step, exactly, driven by digits of inputs: a conversion's
/// current is step * (sum of integer products) + base * (sum of inputs).
struct IntegerCells {
  int largest_input = 1;   ///< digit
  int largest_weight = 1;  ///< in size
  double base = 0;         ///< conductance under every cell's integer; 0 where it cancels
  bool operator==(const IntegerCells&) const = default;
};

/// None where errors, levels or whole inputs make currents that are no such sums.
std::optional<IntegerCells> integer_cells(const LayerHardware& hardware);

}  // namespace crossgrid
