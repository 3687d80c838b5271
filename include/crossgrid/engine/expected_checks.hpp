#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "crossgrid/base/json.hpp"

namespace crossgrid {

/// What a sweep expects of a column at some of its points.
struct ExpectedRequest {
  Json entry;          ///< as the sweep has it, for summary.json
  std::string column;  ///< "top1.mean"
  double value = 0;
  double tolerance = 0;
  std::vector<std::uint64_t> points;  ///< indices, ascending
};

/// How many expected values hold.
struct ExpectedCounts {
  std::uint64_t met = 0;     ///< at all their points
  std::uint64_t missed = 0;  ///< beyond the tolerance at some point
  std::uint64_t open = 0;    ///< not missed, but some point has no result yet
  std::uint64_t total() const { return met + missed + open; }
  /// "2 met, 1 missed, 0 without all results".
  std::string text() const;
  bool operator==(const ExpectedCounts&) const = default;
};

/// Holds results to expected values; shown the points in the order of the grid.
class ExpectedChecks {
 public:
  explicit ExpectedChecks(const std::vector<ExpectedRequest>& requests);

  /// Whether anything is expected of this point: the others need not be shown.
  bool wants(std::uint64_t index) const;
  /// A point's result in a column (NaN: none), for each entry that speaks of it. `axes` names the point in the result.
  template <typename ValueOf>
  void see(std::uint64_t index, const std::vector<std::pair<std::string, Json>>& axes, const ValueOf& value_of) {
    for (Check& check : checks_) {
      check.pass_over(index);
      if (check.speaks_of(index)) {
        take(check, index, axes, value_of(check.request->column));
      }
    }
  }

  ExpectedCounts counts() const;
  /// As summary.json tells them (docs/database.md).
  Json json() const;

 private:
  struct Check {
    const ExpectedRequest* request = nullptr;
    std::size_t next = 0;        ///< place in its points
    std::uint64_t measured = 0;  ///< points with a result
    double distance = 0;         ///< the largest from the value
    Json worst;                  ///< the point of the largest distance
    /// Points before `index` that were not shown: not chosen.
    void pass_over(std::uint64_t index) {
      while (next < request->points.size() && request->points[next] < index) ++next;
    }
    bool speaks_of(std::uint64_t index) const {
      return next < request->points.size() && request->points[next] == index;
    }
    bool missed() const;
    bool met() const { return !missed() && measured == request->points.size(); }
  };
  static void take(Check& check, std::uint64_t index, const std::vector<std::pair<std::string, Json>>& axes,
                   double value);

  std::vector<Check> checks_;
};

}  // namespace crossgrid
