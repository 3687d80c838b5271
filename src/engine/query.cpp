#include "crossgrid/engine/query.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <ostream>

#include "crossgrid/base/error.hpp"
#include "crossgrid/engine/aggregate.hpp"
#include "crossgrid/engine/database_file.hpp"
#include "crossgrid/engine/pareto.hpp"

namespace crossgrid {

namespace {

struct SortKey {
  std::string column;
  bool descending = false;
};

void add_new(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

/// All conditions as one; nothing where there is none.
std::optional<RowCondition> whole_condition(const std::vector<std::string>& where) {
  if (where.empty()) return std::nullopt;
  if (where.size() == 1) return RowCondition(where.front());
  std::string all;
  for (const std::string& text : where) {
    RowCondition checked(text);  // each by itself, so that a mistake is shown where the user made it
    all += (all.empty() ? "(" : " and (") + text + ")";
  }
  return RowCondition(all);
}

/// What is asked for, by the names of columns of the rows that are printed.
class Plan {
 public:
  Plan(const QueryOptions& options, const DatabaseFile& file)
      : file_(file), keys_(options.group_by), limited_(options.limit > 0) {
    for (const std::string& text : options.sort) {
      const bool descending = text.starts_with("-");
      sort_.push_back({descending ? text.substr(1) : text, descending});
    }
    if (!options.pareto.empty()) objectives_ = parse_objectives(options.pareto);
    select_ = options.select;
    if (select_.empty() && keys_.empty()) select_ = file.columns().names();
    if (select_.empty()) select_ = usual_columns();
    for (const std::string& name : select_) need(name);
    for (const SortKey& key : sort_) need(key.column);
    for (const Objective& objective : objectives_) need(objective.column);
    for (const std::string& name : plain_) file_.columns().place(name);
    check_groups();
  }

  const std::vector<std::string>& select() const { return select_; }
  const std::vector<SortKey>& sort() const { return sort_; }
  const std::vector<Objective>& objectives() const { return objectives_; }

  /// Whether few of the rows that are read are printed: what is printed of them is read once these are known.
  bool prints_few() const { return !groups() && (limited_ || !objectives_.empty()); }

  /// The columns to read of all rows.
  std::vector<std::string> columns() const {
    std::vector<std::string> names = groups() ? keys_ : prints_few() ? deciding_columns() : plain_;
    for (const Aggregate& aggregate : aggregates_) {
      if (!aggregate.column.empty()) add_new(names, aggregate.column);
    }
    if (names.empty()) names.push_back(file_.columns().names().front());  // rows have to be counted
    return names;
  }

  DatabaseTable made_of(DatabaseTable rows) const {
    return groups() ? grouped(rows, keys_, aggregates_) : std::move(rows);
  }

 private:
  bool groups() const { return !keys_.empty() || !aggregates_.empty(); }

  /// What says which rows are printed.
  std::vector<std::string> deciding_columns() const {
    std::vector<std::string> names;
    for (const SortKey& key : sort_) add_new(names, key.column);
    for (const Objective& objective : objectives_) add_new(names, objective.column);
    return names;
  }

  /// Of groups: their size, and where each metric lies.
  std::vector<std::string> usual_columns() const {
    std::vector<std::string> names = keys_;
    names.emplace_back("count()");
    for (const std::string& metric : file_.metrics()) {
      for (const char* function : {"mean", "min", "max"}) names.push_back(fmt::format("{}({}.mean)", function, metric));
    }
    return names;
  }

  void need(const std::string& name) {
    if (!file_.columns().contains(name)) {
      if (std::optional<Aggregate> aggregate = parse_aggregate(name)) {
        const auto same = [&](const Aggregate& other) { return other.text == name; };
        if (std::none_of(aggregates_.begin(), aggregates_.end(), same)) aggregates_.push_back(std::move(*aggregate));
        return;
      }
    }
    add_new(plain_, name);
  }

  void check_groups() const {
    if (!groups()) return;
    for (const std::string& name : plain_) {
      if (std::find(keys_.begin(), keys_.end(), name) == keys_.end()) {
        throw Error(ExitCode::usage, fmt::format("'{0}' has many values in a group: name it in --group-by, or say "
                                                 "mean({0}) ({1})",
                                                 name, fmt::join(aggregate_functions(), ", ")));
      }
    }
  }

  const DatabaseFile& file_;
  std::vector<std::string> keys_;
  bool limited_;
  std::vector<std::string> select_;
  std::vector<std::string> plain_;  ///< columns of the database among what is asked for
  std::vector<Aggregate> aggregates_;
  std::vector<SortKey> sort_;
  std::vector<Objective> objectives_;
};

/// Sorts numbers of rows; only the first `limit` (0: all) stay.
void sort_rows(std::vector<std::size_t>& rows, const DatabaseTable& table, const std::vector<SortKey>& keys,
               std::size_t limit) {
  std::vector<std::pair<const std::vector<DatabaseValue>*, bool>> order;
  order.reserve(keys.size());
  for (const SortKey& key : keys) order.emplace_back(&table.column(key.column), key.descending);
  const auto is_before = [&](std::size_t a, std::size_t b) {
    for (const auto& [column, descending] : order) {
      const DatabaseValue& left = (*column)[a];
      const DatabaseValue& right = (*column)[b];
      const int by = compare(left, right);
      const bool none = left.is_none() || right.is_none();
      if (by != 0) return descending && !none ? by > 0 : by < 0;  // nulls last either way
    }
    return a < b;
  };
  if (limit > 0 && limit < rows.size()) {
    std::partial_sort(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(limit), rows.end(), is_before);
    rows.resize(limit);
  } else {
    std::sort(rows.begin(), rows.end(), is_before);
  }
}

/// All of them, or those of the Pareto front, in the order of the table.
std::vector<std::size_t> rows_to_sort(const DatabaseTable& table, const std::vector<Objective>& objectives) {
  if (!objectives.empty()) return pareto_front(table, objectives);
  std::vector<std::size_t> rows(table.rows());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  return rows;
}

}  // namespace

std::size_t run_query(const QueryOptions& options, std::ostream& out) {
  const std::optional<RowCondition> condition = whole_condition(options.where);
  const DatabaseFile file(options.folder);
  if (file.columns().size() == 0) return 0;
  const Plan plan(options, file);
  std::vector<std::uint64_t> begins;
  const DatabaseTable table = plan.made_of(file.read(plan.columns(), condition ? &*condition : nullptr, &begins));
  std::vector<std::size_t> rows = rows_to_sort(table, plan.objectives());
  sort_rows(rows, table, plan.sort(), options.limit);
  if (plan.prints_few()) {
    std::vector<std::uint64_t> lines;
    lines.reserve(rows.size());
    for (const std::size_t row : rows) lines.push_back(begins[row]);
    print_table(file.read_lines(plan.select(), lines), options.format, out);
  } else {
    print_table(table.picked(rows, plan.select()), options.format, out);
  }
  return rows.size();
}

}  // namespace crossgrid
