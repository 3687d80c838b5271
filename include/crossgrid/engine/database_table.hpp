#pragma once

#include <cstddef>
#include <memory>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crossgrid/engine/database_value.hpp"

namespace crossgrid {

/// Names of columns and the place of each.
class ColumnNames {
 public:
  ColumnNames() = default;
  explicit ColumnNames(std::vector<std::string> names) : names_(std::move(names)) {}
  const std::vector<std::string>& names() const { return names_; }
  std::size_t size() const { return names_.size(); }
  bool contains(std::string_view name) const;
  /// Error(bad_input) with the nearest name where there is none.
  std::size_t place(std::string_view name) const;

 private:
  std::vector<std::string> names_;
};

/// Rows of a database, or what was made of them, column by column.
struct DatabaseTable {
  using Memory = std::shared_ptr<std::pmr::monotonic_buffer_resource>;

  ColumnNames names;
  std::vector<std::vector<DatabaseValue>> columns;  ///< one per name, all of one length
  std::vector<Memory> texts;                        ///< where the values' texts live; tables may share them

  std::size_t rows() const { return columns.empty() ? 0 : columns.front().size(); }
  const std::vector<DatabaseValue>& column(std::string_view name) const { return columns[names.place(name)]; }
  /// These columns of the rows with these numbers, both in this order.
  DatabaseTable picked(std::span<const std::size_t> rows, const std::vector<std::string>& selected) const;
};

/// A copy of `text` that lives in `memory`.
std::string_view kept_text(std::pmr::memory_resource& memory, std::string_view text);

}  // namespace crossgrid
