#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "crossgrid/engine/database_file.hpp"

namespace crossgrid {

/// What differs between the databases A and B, point by point. Points are told by their axes ("adc.bits=4, rows=64").
struct DatabaseDiff {
  /// A column of results that differs somewhere.
  struct Column {
    std::string name;
    std::uint64_t points = 0;  ///< at which it differs
    double largest = 0;        ///< |B - A|; infinite where one is no number
    std::string at;            ///< the point of the largest difference
  };
  /// A point with results that differ.
  struct Point {
    std::string axes;
    std::vector<std::string> columns;  ///< "top1.mean: 0.5, 0.75"
  };

  std::vector<std::string> set_aside;  ///< axes of one database with one value there, in words
  std::vector<std::string> origins;    ///< what of the meta files differs, in words; does not make databases unequal
  std::vector<std::string> only_a, only_b;  ///< points
  std::vector<std::string> columns_only_a, columns_only_b;
  std::vector<Column> columns;
  std::vector<Point> points;
  std::uint64_t common = 0;  ///< points in both

  bool equal() const {
    return only_a.empty() && only_b.empty() && columns_only_a.empty() && columns_only_b.empty() && points.empty();
  }
};

/// Matches points by the values of the axes that both have, and compares all other columns but `index` and `point`.
/// Numbers differ where |b - a| > tolerance. Error(bad_input): an axis that only one database has takes several values
/// there, or two points of one database have equal axes.
DatabaseDiff diff_databases(const DatabaseFile& a, const DatabaseFile& b, double tolerance);

/// Prints it, with at most `limit` points of each kind (0: all).
void print_diff(const DatabaseDiff& diff, std::size_t limit, std::ostream& out);

}  // namespace crossgrid
