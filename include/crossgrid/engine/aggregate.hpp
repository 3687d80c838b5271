#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crossgrid/engine/database_table.hpp"

namespace crossgrid {

/// A function of a column over the rows of a group: count, mean, std (n - 1), min, max, median. Nulls are left out.
struct Aggregate {
  std::string text;      ///< "mean(top1.mean)": the name of the column that it makes
  std::string function;  ///< one of aggregate_functions()
  std::string column;    ///< empty: count() counts rows
};

const std::vector<std::string>& aggregate_functions();

/// Reads "mean(top1.mean)" or "count()"; nothing where `text` has not this form. Error(usage): an unknown function,
/// with the nearest name, or one that needs a column.
std::optional<Aggregate> parse_aggregate(const std::string& text);

/// A row for each combination of values in the columns `keys`, in the order of their first rows: the keys, then the
/// aggregates, each computed in the order of the rows. No keys: one row of all. Error(bad_input): an unknown column, or
/// a value that is no number, where numbers are asked for.
DatabaseTable grouped(const DatabaseTable& table, const std::vector<std::string>& keys,
                      const std::vector<Aggregate>& aggregates);

}  // namespace crossgrid
