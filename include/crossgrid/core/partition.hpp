#pragma once

#include <optional>
#include <vector>

namespace crossgrid {

/// A run of rows or columns that one array holds.
struct Part {
  int first = 0;
  int count = 0;
  bool operator==(const Part&) const = default;
};

/// How lines are shared out to arrays of at most `limit` (spec.md: "equal", "max", or a list of divisors).
struct PartitionRule {
  enum class Kind {
    equal,    ///< ceil(size / arrays) lines each, the last one takes the rest (CrossSim's rule: conformance vectors)
    fill,     ///< `limit` lines each, the last one takes the rest
    divisors  ///< fill where size is a multiple of limit / d for a divisor d (whole blocks of grouped convolutions),
              ///< else equal
  } kind = Kind::equal;
  std::vector<int> divisors;
  bool operator==(const PartitionRule&) const = default;
};

/// Splits `size` lines over the fewest arrays of at most `limit`.
std::vector<Part> partition(int size, std::optional<int> limit, const PartitionRule& rule);

/// Rows that meet one conversion: the arrays' rows, each cut into groups of at most `active` rows.
struct RowGroup {
  Part rows;
  int array = 0;  ///< which of the row arrays it lies in
  bool operator==(const RowGroup&) const = default;
};
std::vector<RowGroup> row_groups(const std::vector<Part>& arrays, std::optional<int> active);

}  // namespace crossgrid
