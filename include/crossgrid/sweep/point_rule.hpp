#pragma once

#include <cstdint>
#include <vector>

#include "crossgrid/sweep/axis.hpp"

namespace crossgrid {

/// Which points a rule of `exclude`, or the `where` of an expected value, speaks of: those where every condition holds.
struct PointRule {
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
PointRule parse_point_rule(const Json& rule, const std::vector<Axis>& axes, const Place& place);

}  // namespace crossgrid
