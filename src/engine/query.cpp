#include "crossgrid/engine/query.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>
#include <optional>
#include <ostream>
#include <string_view>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/file.hpp"
#include "crossgrid/base/json.hpp"

namespace crossgrid {

namespace {

enum class CellKind { none, number, text };  // the order in which mixed columns are sorted

struct Cell {
  CellKind kind = CellKind::none;
  double number = 0;
  std::string text;  ///< as CSV shows it
  std::string json;  ///< as it was
};
using Row = std::vector<Cell>;

Cell cell_of(simdjson::dom::element element) {
  Cell cell;
  cell.json = simdjson::minify(element);
  switch (element.type()) {
    case simdjson::dom::element_type::NULL_VALUE:
      return cell;
    case simdjson::dom::element_type::STRING:
      cell.kind = CellKind::text;
      cell.text = element.get_string().value();
      return cell;
    case simdjson::dom::element_type::INT64:
    case simdjson::dom::element_type::UINT64:
      cell.kind = CellKind::number;
      cell.number = element.get_double().value();
      cell.text = cell.json;
      return cell;
    case simdjson::dom::element_type::DOUBLE:
      cell.kind = CellKind::number;
      cell.number = element.get_double().value();
      cell.text = cell.json = shortest_number(cell.number);
      return cell;
    default:  // true, false, lists
      cell.kind = CellKind::text;
      cell.text = cell.json;
      return cell;
  }
}

/// What stands at the right of a condition: a number, a "quoted" text, null, or a bare word.
Cell literal(std::string_view text) {
  Cell cell;
  cell.kind = CellKind::text;
  cell.text = text;
  if (text == "null") return {};
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    cell.text = text.substr(1, text.size() - 2);
    return cell;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cell.number);
  if (error == std::errc() && end == text.data() + text.size()) cell.kind = CellKind::number;
  return cell;
}

/// -1, 0 or 1; numbers before texts before nulls.
int compare(const Cell& a, const Cell& b) {
  const auto rank = [](const Cell& cell) { return cell.kind == CellKind::none ? 3 : static_cast<int>(cell.kind); };
  if (a.kind != b.kind) return rank(a) < rank(b) ? -1 : 1;
  if (a.kind == CellKind::number) return a.number < b.number ? -1 : a.number > b.number ? 1 : 0;
  const int order = a.text.compare(b.text);
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

/// The columns of a database and the place of each.
class Columns {
 public:
  void set(std::vector<std::string> names) { names_ = std::move(names); }
  const std::vector<std::string>& names() const { return names_; }

  std::size_t place(const std::string& name) const {
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (found != names_.end()) return static_cast<std::size_t>(found - names_.begin());
    const std::string nearest = nearest_name(name, names_);
    throw Error(ExitCode::bad_input, fmt::format("unknown column '{}'{}\n  known: {}", name,
                                                 nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest),
                                                 fmt::join(names_, ", ")));
  }

 private:
  std::vector<std::string> names_;
};

struct Condition {
  std::string column;
  std::string comparison;
  Cell value;
  std::size_t place = 0;

  bool holds(const Cell& cell) const {
    const bool comparable = cell.kind == value.kind;
    if (comparison == "=") return comparable && compare(cell, value) == 0;
    if (comparison == "!=") return !comparable || compare(cell, value) != 0;
    if (!comparable || cell.kind == CellKind::none) return false;
    const int order = compare(cell, value);
    if (comparison == "<") return order < 0;
    if (comparison == "<=") return order <= 0;
    return comparison == ">" ? order > 0 : order >= 0;
  }
};

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(' ') - begin + 1));
}

Condition condition_of(const std::string& text) {
  const std::size_t at = text.find_first_of("<>=!");
  std::size_t length = 1;
  if (at != std::string::npos && at + 1 < text.size() && text[at + 1] == '=') length = 2;
  Condition condition;
  if (at != std::string::npos) {
    condition.column = trimmed(std::string_view(text).substr(0, at));
    condition.comparison = text.substr(at, length);
    condition.value = literal(trimmed(std::string_view(text).substr(at + length)));
  }
  if (condition.comparison == "==") condition.comparison = "=";
  if (condition.column.empty() || condition.comparison == "!") {
    throw Error(ExitCode::usage,
                fmt::format("can't read the condition '{}'; write COLUMN OP VALUE with OP one of = != < "
                            "<= > >=, for example 'adc.bits>=6'",
                            text));
  }
  return condition;
}

struct Objective {
  std::size_t place = 0;
  double sign = 1;  ///< times the value: the smaller, the better
};

std::vector<Objective> objectives_of(const std::string& text, const Columns& columns) {
  std::vector<Objective> objectives;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string part = trimmed(std::string_view(text).substr(begin, end - begin));
    if (!part.starts_with("max:") && !part.starts_with("min:")) {
      throw Error(ExitCode::usage,
                  fmt::format("can't read '{}' in --pareto; write max:COLUMN or min:COLUMN, for example "
                              "'max:top1.mean,min:adc.bits'",
                              part));
    }
    objectives.push_back({columns.place(part.substr(4)), part.starts_with("max:") ? -1.0 : 1.0});
    begin = end + 1;
  }
  return objectives;
}

/// Keeps the rows that no other row equals or beats in all objectives and beats in one, in their order.
std::vector<Row> pareto_front(std::vector<Row> rows, const std::vector<Objective>& objectives) {
  const auto costs_of = [&](const Row& row) {
    std::vector<double> costs;
    costs.reserve(objectives.size());
    for (const Objective& objective : objectives) costs.push_back(objective.sign * row[objective.place].number);
    return costs;
  };
  std::vector<std::pair<std::vector<double>, std::size_t>> candidates;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool measured = std::all_of(objectives.begin(), objectives.end(), [&](const Objective& objective) {
      return rows[i][objective.place].kind == CellKind::number;
    });
    if (measured) candidates.emplace_back(costs_of(rows[i]), i);
  }
  // In this order a row can only be beaten by one before it, and then by one of the front.
  std::sort(candidates.begin(), candidates.end());
  std::vector<std::pair<std::vector<double>, std::size_t>> front;
  for (const auto& candidate : candidates) {
    const bool beaten = std::any_of(front.begin(), front.end(), [&](const auto& other) {
      return other.first != candidate.first &&
             std::equal(other.first.begin(), other.first.end(), candidate.first.begin(), std::less_equal<>());
    });
    if (!beaten) front.push_back(candidate);
  }
  std::sort(front.begin(), front.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  std::vector<Row> result;
  result.reserve(front.size());
  for (const auto& entry : front) result.push_back(std::move(rows[entry.second]));
  return result;
}

std::string database_path(const std::string& folder) {
  std::error_code ignored;
  return std::filesystem::is_directory(folder, ignored) ? folder + "/points.jsonl" : folder;
}

/// Reads the rows that meet all conditions.
std::vector<Row> read_rows(const QueryOptions& options, Columns& columns) {
  std::vector<Condition> conditions;
  for (const std::string& text : options.where) conditions.push_back(condition_of(text));
  const std::string path = database_path(options.folder);
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw input_error(path, "can't read it: " + error_text(errno) + "; `crossgrid run` writes it");
  }
  std::vector<Row> rows;
  simdjson::dom::parser parser;
  std::string line;
  for (std::uint64_t number = 1; std::getline(file, line); ++number) {
    simdjson::dom::object object;
    const auto error = parser.parse(line).get_object().get(object);
    if (error != simdjson::SUCCESS) {
      throw input_error(fmt::format("{}:{}", path, number),
                        fmt::format("not a line of a database: {}", simdjson::error_message(error)));
    }
    if (number == 1) {
      std::vector<std::string> names;
      for (const auto& field : object) names.emplace_back(field.key);
      columns.set(std::move(names));
      for (Condition& condition : conditions) condition.place = columns.place(condition.column);
    }
    Row row;
    for (const auto& field : object) row.push_back(cell_of(field.value));
    if (row.size() != columns.names().size()) {
      throw input_error(fmt::format("{}:{}", path, number),
                        fmt::format("{} columns, but line 1 has {}", row.size(), columns.names().size()));
    }
    const bool holds = std::all_of(conditions.begin(), conditions.end(),
                                   [&](const Condition& condition) { return condition.holds(row[condition.place]); });
    if (holds) rows.push_back(std::move(row));
  }
  return rows;
}

void sort_rows(std::vector<Row>& rows, const std::vector<std::string>& keys, const Columns& columns) {
  std::vector<std::pair<std::size_t, bool>> order;  // place, descending
  for (const std::string& key : keys) {
    const bool descending = key.starts_with("-");
    order.emplace_back(columns.place(descending ? key.substr(1) : key), descending);
  }
  std::stable_sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
    for (const auto& [place, descending] : order) {
      const bool none = a[place].kind == CellKind::none || b[place].kind == CellKind::none;
      const int by = compare(a[place], b[place]);
      if (by != 0) return descending && !none ? by > 0 : by < 0;  // nulls last either way
    }
    return false;
  });
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

void print_csv(const std::vector<Row>& rows, const std::vector<std::size_t>& shown, const Columns& columns,
               std::ostream& out) {
  const auto print = [&](const auto& field_of) {
    for (std::size_t i = 0; i < shown.size(); ++i) out << (i == 0 ? "" : ",") << csv_field(field_of(shown[i]));
    out << '\n';
  };
  print([&](std::size_t place) { return columns.names()[place]; });
  for (const Row& row : rows) print([&](std::size_t place) { return row[place].text; });
}

void print_json(const std::vector<Row>& rows, const std::vector<std::size_t>& shown, const Columns& columns,
                std::ostream& out) {
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < shown.size(); ++i) {
      out << (i == 0 ? "{" : ",") << Json(columns.names()[shown[i]]).dump() << ':' << row[shown[i]].json;
    }
    out << "}\n";
  }
}

/// As a table shows it: six digits are enough to read; CSV and JSON lines have them all.
std::string table_field(const Cell& cell) {
  if (cell.kind == CellKind::none) return "-";
  if (cell.kind == CellKind::number) return fmt::format("{:.6g}", cell.number);
  return cell.text;
}

void print_table(const std::vector<Row>& rows, const std::vector<std::size_t>& shown, const Columns& columns,
                 std::ostream& out) {
  std::vector<std::size_t> widths;
  for (const std::size_t place : shown) {
    std::size_t width = columns.names()[place].size();
    for (const Row& row : rows) width = std::max(width, table_field(row[place]).size());
    widths.push_back(width);
  }
  const auto print = [&](const auto& field_of) {
    std::string line;
    for (std::size_t i = 0; i < shown.size(); ++i) {
      line += fmt::format("{}{:>{}}", i == 0 ? "" : "  ", field_of(shown[i]), widths[i]);
    }
    out << line << '\n';
  };
  print([&](std::size_t place) { return columns.names()[place]; });
  for (const Row& row : rows) print([&](std::size_t place) { return table_field(row[place]); });
}

}  // namespace

std::size_t run_query(const QueryOptions& options, std::ostream& out) {
  Columns columns;
  std::vector<Row> rows = read_rows(options, columns);
  if (columns.names().empty()) return 0;
  if (!options.pareto.empty()) rows = pareto_front(std::move(rows), objectives_of(options.pareto, columns));
  sort_rows(rows, options.sort, columns);
  if (options.limit > 0 && rows.size() > options.limit) rows.resize(options.limit);
  std::vector<std::size_t> shown(columns.names().size());
  std::iota(shown.begin(), shown.end(), std::size_t{0});
  if (!options.select.empty()) shown.clear();
  for (const std::string& name : options.select) shown.push_back(columns.place(name));
  switch (options.format) {
    case QueryFormat::table:
      print_table(rows, shown, columns, out);
      break;
    case QueryFormat::csv:
      print_csv(rows, shown, columns, out);
      break;
    case QueryFormat::json_lines:
      print_json(rows, shown, columns, out);
      break;
  }
  return rows.size();
}

}  // namespace crossgrid
