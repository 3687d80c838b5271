#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace crossgrid {

enum class QueryFormat { table, csv, json_lines };

/// Questions to a gathered database, as the command line has them.
struct QueryOptions {
  std::string folder;               ///< output folder, or a points.jsonl
  std::vector<std::string> where;   ///< "adc.bits>=6", "mapping=unit column": all must hold
  std::vector<std::string> select;  ///< columns; empty: all
  std::vector<std::string> sort;    ///< columns, "-" before one for descending
  std::string pareto;               ///< "max:top1.mean,min:adc.bits": only rows that no other beats in all of them
  std::size_t limit = 0;            ///< rows printed; 0: all
  QueryFormat format = QueryFormat::table;
};

/// Prints the rows of points.jsonl that match, in the order of the grid unless sorted, and returns their number.
/// Error(bad_input): no database there, or an unknown column (with the nearest name); Error(usage): a condition that
/// can't be read.
std::size_t run_query(const QueryOptions& options, std::ostream& out);

}  // namespace crossgrid
