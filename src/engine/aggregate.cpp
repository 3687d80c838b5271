#include "crossgrid/engine/aggregate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/json.hpp"
#include "crossgrid/engine/statistics.hpp"

namespace crossgrid {

namespace {

using Groups = std::vector<std::vector<std::size_t>>;

/// A group by the keys so far, and the value of the next one.
struct Subgroup {
  std::size_t group;
  DatabaseValue value;

  bool operator==(const Subgroup& other) const { return group == other.group && same(value, other.value); }
};

struct SubgroupHash {
  std::size_t operator()(const Subgroup& subgroup) const { return hash_of(subgroup.value) + subgroup.group; }
};

/// The group of each row, numbered in the order of their first rows.
std::vector<std::size_t> numbered_groups(const DatabaseTable& table, const std::vector<std::string>& keys) {
  std::vector<std::size_t> group_of(table.rows(), 0);
  for (const std::string& key : keys) {
    const std::vector<DatabaseValue>& column = table.column(key);
    std::unordered_map<Subgroup, std::size_t, SubgroupHash> known;
    for (std::size_t row = 0; row < column.size(); ++row) {
      group_of[row] = known.try_emplace({group_of[row], column[row]}, known.size()).first->second;
    }
  }
  return group_of;
}

/// The rows of each group; without keys one of all, if there are none too.
Groups groups_of(const DatabaseTable& table, const std::vector<std::string>& keys) {
  Groups groups(keys.empty() ? 1 : 0);
  const std::vector<std::size_t> group_of = numbered_groups(table, keys);
  for (std::size_t row = 0; row < group_of.size(); ++row) {
    if (group_of[row] == groups.size()) groups.emplace_back();
    groups[group_of[row]].push_back(row);
  }
  return groups;
}

/// The numbers of a group's column.
std::vector<double> numbers_of(const DatabaseTable& table, const Aggregate& aggregate, std::size_t place,
                               const std::vector<std::size_t>& group) {
  std::vector<double> numbers;
  numbers.reserve(group.size());
  for (const std::size_t row : group) {
    const DatabaseValue& value = table.columns[place][row];
    if (value.is_none()) continue;
    if (!value.is_number()) {
      throw Error(ExitCode::bad_input, fmt::format("{}: found {}, expected numbers", aggregate.text, value.to_json()));
    }
    numbers.push_back(value.number());
  }
  return numbers;
}

double median(std::vector<double> numbers) {
  std::sort(numbers.begin(), numbers.end());
  const double upper = numbers[numbers.size() / 2];
  return numbers.size() % 2 == 1 ? upper : 0.5 * (numbers[numbers.size() / 2 - 1] + upper);
}

/// Not a number (null) where there is nothing.
double value_of(const std::string& function, const std::vector<double>& numbers) {
  if (numbers.empty()) return std::numeric_limits<double>::quiet_NaN();
  if (function == "min") return *std::min_element(numbers.begin(), numbers.end());
  if (function == "max") return *std::max_element(numbers.begin(), numbers.end());
  if (function == "median") return median(numbers);
  const TrialStatistics statistics = trial_statistics(numbers);
  return function == "mean" ? statistics.mean : statistics.std;
}

DatabaseValue aggregated(const DatabaseTable& table, const Aggregate& aggregate,
                         const std::vector<std::size_t>& group) {
  if (aggregate.column.empty()) return DatabaseValue(static_cast<std::int64_t>(group.size()));
  const std::size_t place = table.names.place(aggregate.column);
  if (aggregate.function == "count") {
    return DatabaseValue(static_cast<std::int64_t>(std::count_if(
        group.begin(), group.end(), [&](std::size_t row) { return !table.columns[place][row].is_none(); })));
  }
  return DatabaseValue(value_of(aggregate.function, numbers_of(table, aggregate, place, group)));
}

}  // namespace

const std::vector<std::string>& aggregate_functions() {
  static const std::vector<std::string> names{"count", "mean", "std", "min", "max", "median"};
  return names;
}

std::optional<Aggregate> parse_aggregate(const std::string& text) {
  const std::size_t open = text.find('(');
  if (open == std::string::npos || open == 0 || text.back() != ')') return std::nullopt;
  Aggregate aggregate{text, text.substr(0, open), text.substr(open + 1, text.size() - open - 2)};
  const auto& known = aggregate_functions();
  if (std::find(known.begin(), known.end(), aggregate.function) == known.end()) {
    const std::string nearest = nearest_name(aggregate.function, known);
    throw Error(ExitCode::usage, fmt::format("{}: unknown function '{}'{}\n  known: {}", text, aggregate.function,
                                             nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest),
                                             fmt::join(known, ", ")));
  }
  if (aggregate.column.empty() && aggregate.function != "count") {
    throw Error(ExitCode::usage, fmt::format("{}: expected a column, as in {}(top1.mean)", text, aggregate.function));
  }
  return aggregate;
}

DatabaseTable grouped(const DatabaseTable& table, const std::vector<std::string>& keys,
                      const std::vector<Aggregate>& aggregates) {
  const Groups groups = groups_of(table, keys);
  std::vector<std::string> names = keys;
  for (const Aggregate& aggregate : aggregates) names.push_back(aggregate.text);
  DatabaseTable result{ColumnNames(names), {}, table.texts};
  for (const std::string& key : keys) {
    std::vector<DatabaseValue>& made = result.columns.emplace_back();
    for (const auto& group : groups) made.push_back(table.column(key)[group.front()]);
  }
  for (const Aggregate& aggregate : aggregates) {
    std::vector<DatabaseValue>& made = result.columns.emplace_back();
    for (const auto& group : groups) made.push_back(aggregated(table, aggregate, group));
  }
  return result;
}

}  // namespace crossgrid
