#include "crossgrid/data/number_table.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <sstream>
#include <vector>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/file.hpp"
#include "crossgrid/data/npy_file.hpp"

namespace crossgrid {
namespace {

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t\r") + 1 - first);
}

double number_of(const std::string& text, const std::string& where) {
  double number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
    throw input_error(where, fmt::format("found '{}', expected a finite number", text));
  }
  return number;
}

MatrixD from_text(const std::string& path) {
  std::istringstream lines(read_text(posix_files(), path));
  std::vector<double> numbers;
  Eigen::Index rows = 0, cols = 0;
  int line_number = 0;
  for (std::string line; std::getline(lines, line);) {
    const std::string where = fmt::format("{}:{}", path, ++line_number);
    line = trimmed(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    Eigen::Index found = 0;
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, ','); ++found) numbers.push_back(number_of(trimmed(cell), where));
    if (rows == 0) cols = found;
    if (found != cols) throw input_error(where, fmt::format("has {} numbers, the rows before have {}", found, cols));
    ++rows;
  }
  if (rows == 0) throw input_error(path, "holds no numbers");
  return Eigen::Map<const MatrixD>(numbers.data(), rows, cols);
}

}  // namespace

MatrixD read_number_table(const std::string& path) {
  if (!path.ends_with(".npy")) return from_text(path);
  const NpyArray array = read_npy(path);
  if (array.shape.empty() || array.shape.size() > 2 || array.values.empty()) {
    throw input_error(path, fmt::format("has {} dimensions and {} numbers, expected a table of rows and columns",
                                        array.shape.size(), array.values.size()));
  }
  for (const double value : array.values) {
    if (!std::isfinite(value)) throw input_error(path, fmt::format("holds {}, expected finite numbers", value));
  }
  const auto cols = static_cast<Eigen::Index>(array.shape.back());
  return Eigen::Map<const MatrixD>(array.values.data(), static_cast<Eigen::Index>(array.values.size()) / cols, cols);
}

}  // namespace crossgrid
