#pragma once

#include <optional>
#include <vector>

#include "crossgrid/core/layer_hardware.hpp"

namespace crossgrid {

/// A run of rows or columns that one array holds.
struct Part {
  int first = 0;
  int count = 0;
  bool operator==(const Part&) const = default;
};

/// Splits `size` lines over the fewest arrays of at most `limit`. equal: ceil(size / arrays) lines each, the last one
/// takes the rest (CrossSim's rule, which the conformance vectors hold); fill: `limit` lines each, the last one takes
/// the rest.
std::vector<Part> partition(int size, std::optional<int> limit, PartitionRule rule);

}  // namespace crossgrid
