#pragma once

#include <iosfwd>
#include <string>

#include "crossgrid/engine/database_table.hpp"

namespace crossgrid {

enum class TableFormat {
  table,       ///< aligned columns, six digits
  csv,         ///< RFC 4180, all digits
  json_lines,  ///< an object per row, all digits
  markdown     ///< a table of GitHub's Markdown, six digits
};

/// Prints a table with its names. In table and markdown control characters are shown as \u001b, so that a terminal does
/// not obey a database.
void print_table(const DatabaseTable& table, TableFormat format, std::ostream& out);

/// A value as people read it: numbers with six digits, "-" for null.
std::string readable(const DatabaseValue& value);

}  // namespace crossgrid
