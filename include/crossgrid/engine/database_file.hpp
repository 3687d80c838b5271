#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "crossgrid/base/file.hpp"
#include "crossgrid/base/json.hpp"
#include "crossgrid/engine/database_table.hpp"
#include "crossgrid/engine/row_condition.hpp"

namespace crossgrid {

/// The schema of the databases that this program writes (docs/database.md). Raised when a member of points.meta.json or
/// a column is added or changes its meaning.
inline constexpr int database_schema = 2;

/// A column that holds values of an axis of the grid.
struct AxisColumn {
  std::string name;
  std::string unit;  ///< empty where it has none, or none is known
  bool operator==(const AxisColumn&) const = default;
};

/// A gathered database (points.jsonl with points.meta.json beside it), which may come from anybody: sizes, nesting,
/// numbers and names are checked.
class DatabaseFile {
 public:
  /// Opens `path`, an output folder or a points.jsonl. Databases of an older schema are read as if they were of this
  /// one; of a newer one they are Error(bad_input), as is a file that can't be read or whose first line is none of a
  /// database.
  explicit DatabaseFile(const std::string& path, FileSystem& files = posix_files());
  ~DatabaseFile();

  const std::string& path() const { return path_; }
  /// Empty where it has no points.
  const ColumnNames& columns() const { return columns_; }
  /// points.meta.json, brought to this schema; where there is none, an object of what the columns tell.
  const Json& meta() const { return meta_; }
  std::vector<AxisColumn> axes() const;
  std::vector<std::string> metrics() const;

  /// The named columns of the rows that meet the condition (null: all), in the order of the file. Error(bad_input) with
  /// the line for a line that is no JSON object with the columns of the first, a line of more than 1 MiB, lists nested
  /// deeper than 16, a number beyond doubles; for an unknown column, with the nearest name; for fewer or more points
  /// than points.meta.json tells of. `begins`: gets where each row's line begins in the file.
  DatabaseTable read(std::span<const std::string> names, const RowCondition* condition = nullptr,
                     std::vector<std::uint64_t>* begins = nullptr) const;

  /// The named columns of the rows whose lines begin there, as read() gave it, in this order. Error(bad_input) where
  /// the file has changed since.
  DatabaseTable read_lines(std::span<const std::string> names, std::span<const std::uint64_t> begins) const;

 private:
  void check_lines(std::uint64_t found) const;

  std::string path_;
  std::unique_ptr<File> file_;
  std::uint64_t size_ = 0;
  ColumnNames columns_;
  Json meta_;
};

}  // namespace crossgrid
