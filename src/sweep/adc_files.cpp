#include "adc_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <sstream>
#include <vector>

#include "crossgrid/base/file.hpp"
#include "crossgrid/sweep/value_type.hpp"

namespace crossgrid {

namespace {

const char* const table_columns[] = {"value", "mean", "sigma"};

/// Runs `read`; a file that can't be read is the place's error.
template <class Read>
auto from_file(const std::string& path, const Place& place, Read read) {
  if (!file_exists(posix_files(), path)) {
    throw place.error(fmt::format("the file {} can't be read", path));
  }
  try {
    return read();
  } catch (const Error& error) {
    throw place.error(error.what());
  }
}

void check_known_keys(const Json& object, const std::vector<std::string>& known, const Place& place) {
  if (!object.is_object()) {
    throw place.error(fmt::format("found {}, expected an object with {}", found_text(object), fmt::join(known, ", ")));
  }
  for (const auto& [key, value] : object.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      const std::string nearest = nearest_name(key, known);
      throw(place / key)
          .error(fmt::format("unknown key{}(known: {})", nearest.empty() ? " " : "; did you mean '" + nearest + "'? ",
                             fmt::join(known, ", ")));
    }
  }
}

std::vector<double> number_list(const Json& object, const std::string& key, const Place& place) {
  if (!object.contains(key)) {
    throw place.error(fmt::format("'{}' is missing", key));
  }
  const Json& list = object.at(key);
  const Place here = place / key;
  if (!list.is_array() || list.empty()) {
    throw here.error(fmt::format("found {}, expected a list of numbers", found_text(list)));
  }
  std::vector<double> numbers;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!list[i].is_number() || !std::isfinite(list[i].get<double>())) {
      throw(here / i).error(fmt::format("found {}, expected a finite number", found_text(list[i])));
    }
    numbers.push_back(list[i].get<double>() == 0 ? 0.0 : list[i].get<double>());
  }
  return numbers;
}

void check_length(const std::vector<double>& list, std::size_t wanted, const Place& here) {
  if (list.size() != wanted) {
    throw here.error(fmt::format("has {} numbers, expected {}", list.size(), wanted));
  }
}

/// Fractions of the range in ascending order.
void check_fractions(const std::vector<double>& list, const Place& here) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i] < 0 || list[i] > 1) {
      throw(here / i).error(
          fmt::format("found {}, expected a fraction of the range, 0 to 1", shortest_number(list[i])));
    }
    if (i > 0 && !(list[i - 1] < list[i])) {
      throw(here / i).error(
          fmt::format("{} does not ascend after {}", shortest_number(list[i]), shortest_number(list[i - 1])));
    }
  }
}

struct Table {
  std::vector<double> columns[3];  ///< value, mean, sigma
};

/// `where` names row i and a column of it.
void check_table(const Table& table, const std::function<Place(std::size_t, int)>& where) {
  const auto& [value, mean, sigma] = table.columns;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (i > 0 && !(value[i - 1] < value[i])) {
      throw where(i, 0).error(
          fmt::format("value {} does not ascend after {}", shortest_number(value[i]), shortest_number(value[i - 1])));
    }
    if (sigma[i] < 0) {
      throw where(i, 2).error(fmt::format("sigma {} is below 0", shortest_number(sigma[i])));
    }
  }
}

Table json_table(const std::string& path) {
  const Json document = read_json_file(path);
  const Place place{path, ""};
  check_known_keys(document, {"value", "mean", "sigma"}, place);
  Table table;
  for (int k = 0; k < 3; ++k) {
    table.columns[k] = number_list(document, table_columns[k], place);
    check_length(table.columns[k], table.columns[0].size(), place / table_columns[k]);
  }
  check_table(table, [&](std::size_t row, int column) { return place / table_columns[column] / row; });
  return table;
}

std::string trimmed(std::string text) {
  text.erase(0, text.find_first_not_of(" \t\r"));
  text.erase(text.find_last_not_of(" \t\r") + 1);
  return text;
}

/// The three numbers of a line.
void add_row(Table& table, const std::string& line, const Place& place) {
  std::istringstream cells(line);
  std::string cell;
  int count = 0;
  for (; std::getline(cells, cell, ','); ++count) {
    const std::string text = trimmed(cell);
    double number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
      throw place.error(fmt::format("found '{}', expected a finite number", text));
    }
    if (count < 3) {
      table.columns[count].push_back(number == 0 ? 0.0 : number);
    }
  }
  if (count != 3) {
    throw place.error(fmt::format("has {} numbers, expected 3: value,mean,sigma", count));
  }
}

Table csv_table(const std::string& path) {
  std::istringstream lines(read_text(posix_files(), path));
  Table table;
  std::vector<std::size_t> numbers;  // of the rows' lines
  std::size_t number = 0;
  const auto line_place = [&](std::size_t line) { return Place{fmt::format("{}:{}", path, line), ""}; };
  for (std::string line; std::getline(lines, line);) {
    ++number;
    line = trimmed(line.substr(0, line.find('#')));
    if (line.empty() || (numbers.empty() && line == "value,mean,sigma")) {
      continue;
    }
    add_row(table, line, line_place(number));
    numbers.push_back(number);
  }
  if (numbers.empty()) {
    throw input_error(path, "holds no line of three numbers: value,mean,sigma");
  }
  check_table(table, [&](std::size_t row, int) { return line_place(numbers[row]); });
  return table;
}

}  // namespace

Json read_adc_levels(const std::string& path, const Place& place) {
  return from_file(path, place, [&] {
    const Json document = read_json_file(path);
    const Place top{path, ""};
    check_known_keys(document, {"levels", "thresholds"}, top);
    const std::vector<double> levels = number_list(document, "levels", top);
    check_fractions(levels, top / "levels");
    if (!document.contains("thresholds")) {
      return Json(levels);
    }
    const std::vector<double> thresholds = number_list(document, "thresholds", top);
    check_length(thresholds, levels.size() - 1, top / "thresholds");
    check_fractions(thresholds, top / "thresholds");
    return Json{{"levels", levels}, {"thresholds", thresholds}};
  });
}

Json read_adc_table(const std::string& path, const Place& place) {
  return from_file(path, place, [&] {
    const bool json = path.size() >= 5 && path.compare(path.size() - 5, 5, ".json") == 0;
    const Table table = json ? json_table(path) : csv_table(path);
    return Json{{"value", table.columns[0]}, {"mean", table.columns[1]}, {"sigma", table.columns[2]}};
  });
}

}  // namespace crossgrid
