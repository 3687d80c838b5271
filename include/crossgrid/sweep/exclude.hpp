#pragma once

#include <cstdint>
#include <vector>

#include "crossgrid/sweep/axis.hpp"

namespace crossgrid {

/// One rule of `exclude`: a point is left out where every condition of a rule holds.
struct ExcludeRule {
  struct Condition {
    std::size_t axis = 0;
    std::vector<bool> holds;  ///< one per value of the axis
  };
  std::vector<Condition> conditions;  ///< at most one per axis
  Place place;

  /// Whether the rule holds at the point with these value indices, one per axis.
  bool matches(const std::vector<std::uint32_t>& digits) const;
  /// Whether it can hold anywhere in the grid.
  bool possible() const;
};

/// Reads one rule: column -> value, list of values, or {at_least, at_most, above, below} (which words never satisfy).
ExcludeRule parse_exclude_rule(const Json& rule, const std::vector<Axis>& axes, const Place& place);

}  // namespace crossgrid
