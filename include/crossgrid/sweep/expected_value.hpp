#pragma once

#include <string>
#include <vector>

#include "crossgrid/sweep/point_rule.hpp"

namespace crossgrid {

/// An entry of `expected`: what a column of the results should be at some points, and who says so.
struct ExpectedValue {
  Json entry;          ///< as the sweep has it
  PointRule where;     ///< no conditions: all points
  std::string column;  ///< "top1.mean"
  double value = 0;
  double tolerance = 0;  ///< largest distance from value, itself included
  std::string source;
};

/// Columns that values can be expected of: mean, std and the ends of the interval of each metric.
std::vector<std::string> expected_columns(const std::vector<std::string>& metrics);

/// Reads one entry. Error(bad_input) names the member, what was found and what was expected.
ExpectedValue parse_expected_value(const Json& entry, const std::vector<Axis>& axes,
                                   const std::vector<std::string>& metrics, const Place& place);

}  // namespace crossgrid
