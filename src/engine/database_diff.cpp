#include "crossgrid/engine/database_diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <ostream>
#include <set>
#include <unordered_map>

#include "crossgrid/base/error.hpp"
#include "crossgrid/engine/table_output.hpp"

namespace crossgrid {

namespace {

using Names = std::vector<std::string>;

bool contains(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Names without(const Names& names, const Names& others) {
  Names left;
  for (const std::string& name : names) {
    if (!contains(others, name)) left.push_back(name);
  }
  return left;
}

Names axis_names(const DatabaseFile& file) {
  Names names;
  for (const AxisColumn& axis : file.axes()) names.push_back(axis.name);
  return names;
}

/// Columns that are neither axes nor say which point it is.
Names result_columns(const DatabaseFile& file) {
  Names names = without(file.columns().names(), axis_names(file));
  return without(names, {"index", "point"});
}

/// One of the two databases, with its points by their axes.
class Side {
 public:
  Side(const DatabaseFile& file, const Names& axes, const Names& results)
      : axes_(axes), table_(file.read(joined(axes, results))) {
    for (std::size_t row = 0; row < table_.rows(); ++row) {
      if (rows_.emplace(key(row), row).second) continue;
      throw input_error(file.path(), fmt::format("two points with {}", text(row)));
    }
  }

  std::size_t rows() const { return table_.rows(); }
  const DatabaseTable& table() const { return table_; }
  std::optional<std::size_t> find(const std::string& key) const {
    const auto found = rows_.find(key);
    return found == rows_.end() ? std::nullopt : std::optional(found->second);
  }
  std::string key(std::size_t row) const {
    std::string key;
    for (std::size_t i = 0; i < axes_.size(); ++i) key += table_.columns[i][row].to_json() + ',';
    return key;
  }
  /// The point as people know it.
  std::string text(std::size_t row) const {
    if (axes_.empty()) return "the only point";
    std::string text;
    for (std::size_t i = 0; i < axes_.size(); ++i) {
      text += fmt::format("{}{}={}", i == 0 ? "" : ", ", axes_[i], readable(table_.columns[i][row]));
    }
    return text;
  }

 private:
  static Names joined(Names names, const Names& more) {
    names.insert(names.end(), more.begin(), more.end());
    return names;
  }

  Names axes_;
  DatabaseTable table_;
  std::unordered_map<std::string, std::size_t> rows_;
};

/// Sets aside axes that only `file` has, if they say nothing there.
void set_axes_aside(const DatabaseFile& file, const Names& shared, const char* name, Names& set_aside) {
  const Names own = without(axis_names(file), shared);
  if (own.empty()) return;
  const DatabaseTable table = file.read(own);
  for (const std::string& axis : own) {
    std::set<std::string> values;
    for (const DatabaseValue& value : table.column(axis)) values.insert(readable(value));
    if (values.size() > 1) {
      throw input_error(file.path(), fmt::format("can't match its points: the other database has no axis '{}', which "
                                                 "takes {} values here",
                                                 axis, values.size()));
    }
    if (!values.empty()) set_aside.push_back(fmt::format("{}={} (only in {})", axis, *values.begin(), name));
  }
}

Names origins(const Json& a, const Json& b) {
  Names differences;
  const auto compare = [&](const char* what, const Json& from, const Json& to, const char* member) {
    const Json left = from.is_object() && from.contains(member) ? from.at(member) : Json();
    const Json right = to.is_object() && to.contains(member) ? to.at(member) : Json();
    if (left != right && !left.is_null() && !right.is_null()) {
      differences.push_back(fmt::format("{} (A {}, B {})", what, left.dump(), right.dump()));
    }
  };
  compare("seed", a, b, "seed");
  compare("numeric class", a, b, "numeric_class");
  compare("physics version", a, b, "physics_version");
  compare("test images", a, b, "images");
  const Json no_content;
  const Json& content_a = a.contains("content") ? a.at("content") : no_content;
  const Json& content_b = b.contains("content") ? b.at("content") : no_content;
  compare("network's content", content_a, content_b, "network");
  compare("data set's content", content_a, content_b, "dataset");
  compare("calibration's content", content_a, content_b, "calibration");
  return differences;
}

/// 0 where they are equal within the tolerance.
double difference(const DatabaseValue& a, const DatabaseValue& b, double tolerance) {
  if (comparable(a, b) && compare(a, b) == 0) return 0;
  if (!a.is_number() || !b.is_number()) return std::numeric_limits<double>::infinity();
  const double by = std::abs(b.number() - a.number());
  return by > tolerance ? by : 0;
}

/// Compares the points that both have.
void compare_results(const Side& a, const Side& b, const Names& results, double tolerance, DatabaseDiff& diff) {
  std::vector<DatabaseDiff::Column> columns;
  for (const std::string& name : results) columns.push_back({name, 0, 0, ""});
  for (std::size_t row = 0; row < a.rows(); ++row) {
    const auto other = b.find(a.key(row));
    if (!other) continue;
    ++diff.common;
    DatabaseDiff::Point point;
    for (DatabaseDiff::Column& column : columns) {
      const DatabaseValue& left = a.table().column(column.name)[row];
      const DatabaseValue& right = b.table().column(column.name)[*other];
      const double by = difference(left, right, tolerance);
      if (by == 0) continue;
      if (column.points++ == 0 || by > column.largest) {
        column.largest = by;
        column.at = a.text(row);
      }
      point.columns.push_back(fmt::format("{}: {}, {}", column.name, left.to_json(), right.to_json()));
    }
    if (point.columns.empty()) continue;
    point.axes = a.text(row);
    diff.points.push_back(std::move(point));
  }
  std::copy_if(columns.begin(), columns.end(), std::back_inserter(diff.columns),
               [](const DatabaseDiff::Column& column) { return column.points > 0; });
}

Names points_only_in(const Side& side, const Side& other) {
  Names points;
  for (std::size_t row = 0; row < side.rows(); ++row) {
    if (!other.find(side.key(row))) points.push_back(side.text(row));
  }
  return points;
}

}  // namespace

DatabaseDiff diff_databases(const DatabaseFile& a, const DatabaseFile& b, double tolerance) {
  DatabaseDiff diff;
  const Names axes_a = axis_names(a);
  const Names shared = without(axes_a, without(axes_a, axis_names(b)));
  set_axes_aside(a, shared, "A", diff.set_aside);
  set_axes_aside(b, shared, "B", diff.set_aside);
  const Names results_a = result_columns(a), results_b = result_columns(b);
  diff.columns_only_a = without(results_a, results_b);
  diff.columns_only_b = without(results_b, results_a);
  const Names results = without(results_a, diff.columns_only_a);
  const Side side_a(a, shared, results), side_b(b, shared, results);
  diff.origins = origins(a.meta(), b.meta());
  diff.only_a = points_only_in(side_a, side_b);
  diff.only_b = points_only_in(side_b, side_a);
  compare_results(side_a, side_b, results, tolerance, diff);
  return diff;
}

namespace {

template <typename Items, typename Text>
void print_list(const Items& items, std::size_t limit, std::ostream& out, const Text& text_of) {
  const std::size_t shown = limit == 0 ? items.size() : std::min(limit, items.size());
  for (std::size_t i = 0; i < shown; ++i) out << "  " << text_of(items[i]) << '\n';
  if (shown < items.size()) out << fmt::format("  and {} more (--limit)\n", items.size() - shown);
}

void print_names(const char* title, const Names& names, std::size_t limit, std::ostream& out) {
  if (names.empty()) return;
  out << title << '\n';
  print_list(names, limit, out, [](const std::string& name) { return name; });
}

}  // namespace

void print_diff(const DatabaseDiff& diff, std::size_t limit, std::ostream& out) {
  out << fmt::format("points: {} in both, {} of them with results that differ, {} only in A, {} only in B\n",
                     diff.common, diff.points.size(), diff.only_a.size(), diff.only_b.size());
  print_names("axes that were set aside, having one value:", diff.set_aside, 0, out);
  print_names("origins that differ:", diff.origins, 0, out);
  print_names("columns only in A:", diff.columns_only_a, 0, out);
  print_names("columns only in B:", diff.columns_only_b, 0, out);
  print_names("points only in A:", diff.only_a, limit, out);
  print_names("points only in B:", diff.only_b, limit, out);
  if (diff.points.empty()) return;
  out << "columns that differ, with the largest difference:\n";
  print_list(diff.columns, 0, out, [](const DatabaseDiff::Column& column) {
    const std::string by = std::isinf(column.largest) ? "not a number" : fmt::format("{:.6g}", column.largest);
    return fmt::format("{}: at {} points, {} at {}", column.name, column.points, by, column.at);
  });
  out << "points that differ (A, B):\n";
  print_list(diff.points, limit, out, [](const DatabaseDiff::Point& point) {
    return fmt::format("{}: {}", point.axes, fmt::join(point.columns, "; "));
  });
}

}  // namespace crossgrid
