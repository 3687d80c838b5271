#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "crossgrid/engine/table_output.hpp"

namespace crossgrid {

/// Questions to a gathered database, as the command line has them (docs/database.md).
struct QueryOptions {
  std::string folder;                 ///< output folder, or a points.jsonl
  std::vector<std::string> where;     ///< conditions that must all hold (RowCondition)
  std::vector<std::string> select;    ///< columns and functions of groups; empty: all, of groups the usual ones
  std::vector<std::string> group_by;  ///< a row for each combination of these columns' values
  std::string pareto;                 ///< "max:top1.mean,min:adc.bits": only rows that no other beats in all of them
  std::vector<std::string> sort;      ///< columns, "-" before one for descending
  std::size_t limit = 0;              ///< rows printed; 0: all
  TableFormat format = TableFormat::table;
};

/// Prints what is left of the points after, in this order: where, group_by, pareto, sort, limit, select; in the order
/// of the grid unless sorted. Returns the number of rows. Error(bad_input): no database there, one that can't be read,
/// or an unknown column (with the nearest name); Error(usage): a condition, function or objective that can't be read.
std::size_t run_query(const QueryOptions& options, std::ostream& out);

}  // namespace crossgrid
