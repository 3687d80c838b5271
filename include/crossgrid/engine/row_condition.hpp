#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crossgrid/engine/database_value.hpp"

namespace crossgrid {

/// A condition on rows as `--where` has it (docs/database.md, "Conditions"):
///
///     any    := all {"or" all}
///     all    := one {"and" one}
///     one    := "not" one | "(" any ")" | COLUMN comparison VALUE | COLUMN ["not"] "in" "(" VALUE {"," VALUE} ")"
///
/// A comparison is one of = == != < <= > >=.
class RowCondition {
 public:
  /// Error(usage) that shows the text, the column (from 1) of what can't be read, and what was expected there.
  explicit RowCondition(std::string_view text);
  ~RowCondition();
  RowCondition(RowCondition&&) noexcept;
  RowCondition& operator=(RowCondition&&) noexcept;

  /// Names that it asks about, each once.
  const std::vector<std::string>& columns() const { return columns_; }
  /// Whether it holds where `values` are those of columns(), in this order. A comparison of a number with a text, or of
  /// either with null, holds for != only; < and > never hold for nulls.
  bool holds(std::span<const DatabaseValue> values) const;

  struct Node;

 private:
  std::vector<std::string> columns_;
  std::unique_ptr<const Node> root_;
};

}  // namespace crossgrid
