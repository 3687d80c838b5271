#pragma once

#include <memory_resource>
#include <string>
#include <string_view>
#include <vector>

#include "crossgrid/engine/database_table.hpp"

namespace crossgrid {

/// Splits lines of a database in the form that nearly all of them have, without building a document of each:
///
///     line   := "{" NAME ":" value {"," NAME ":" value} "}"     the names of the columns, in their order; no spaces
///     value  := number | '"' {printable ASCII but '"' and '\'} '"' | "true" | "false" | "null"
///     number := ["-"] INTEGER ["." FRACTION] [("e" | "E") ["+" | "-"] EXPONENT]     at most 18, 99 and 2 digits
///
/// Lines of this form are a database's lines to a JSON parser too, with the same values: no number is beyond an int64
/// or the doubles.
class PlainLine {
 public:
  explicit PlainLine(const ColumnNames& names);

  /// The values as they stand in `line`, in the order of the columns. False where it has not this form, whether it is
  /// a good line or not. The byte after `line` can be read and is none of JSON's values: a newline or 0.
  bool split(std::string_view line, std::vector<std::string_view>& values) const;

 private:
  std::vector<std::string> keys_;  ///< what stands before each value; none where a name needs an escape
};

/// A value as PlainLine gives it; its text is copied into `memory`.
DatabaseValue plain_value(std::string_view text, std::pmr::memory_resource& memory);

}  // namespace crossgrid
