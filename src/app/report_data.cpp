#include "crossgrid/app/report_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "crossgrid/engine/table_output.hpp"

namespace crossgrid {

namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

struct MetricWords {
  const char* name;
  const char* label;
  double factor;
};
constexpr MetricWords metric_words[] = {
    {"top1", "Top-1 accuracy [%]", 100},
    {"top5", "Top-5 accuracy [%]", 100},
    {"loss", "Cross-entropy loss [nat]", 1},
    {"layer_error", "Relative error of layer outputs", 1},
    {"adc_clip_rate", "Conversions that clip [%]", 100},
    {"input_halvings", "Halvings of an input vector, mean", 1},
};

const MetricWords* words_of(const std::string& metric) {
  const auto found = std::find_if(std::begin(metric_words), std::end(metric_words),
                                  [&](const auto& words) { return metric == words.name; });
  return found == std::end(metric_words) ? nullptr : found;
}

std::vector<double> numbers(const DatabaseTable& table, const std::string& column, double factor) {
  if (!table.names.contains(column)) return std::vector<double>(table.rows(), nothing);
  std::vector<double> list;
  list.reserve(table.rows());
  for (const DatabaseValue& value : table.column(column)) list.push_back(factor * value.number());
  return list;
}

ReportAxis axis_of(const AxisColumn& column, const std::vector<DatabaseValue>& values) {
  ReportAxis axis{column.name, column_label(column.name, column.unit), {}, {}, false};
  const auto before = [](const DatabaseValue& a, const DatabaseValue& b) { return drawn_before(a, b); };
  std::map<DatabaseValue, std::size_t, decltype(before)> known(before);
  for (const DatabaseValue& value : values) known.emplace(value, 0);
  for (auto& [value, number] : known) {
    number = axis.values.size();
    axis.values.push_back(value);
  }
  for (const DatabaseValue& value : values) axis.of_row.push_back(known.at(value));
  axis.numeric =
      std::all_of(axis.values.begin(), axis.values.end(), [](const auto& value) { return value.is_number(); });
  return axis;
}

void add_row(ReportCell& cell, const ReportMetric& metric, std::size_t row) {
  const double mean = metric.mean[row];
  if (!std::isfinite(mean)) return;
  if (cell.rows++ == 0) cell.least = cell.largest = mean;
  cell.least = std::min(cell.least, mean);
  cell.largest = std::max(cell.largest, mean);
  cell.mean += mean;  // divided by rows at the end
  cell.low = metric.low[row];
  cell.high = metric.high[row];
}

void finish(ReportCell& cell) {
  cell.mean = cell.rows == 0 ? nothing : cell.mean / static_cast<double>(cell.rows);
}

}  // namespace

std::string column_label(const std::string& column, const std::string& unit) {
  return unit.empty() ? column : fmt::format("{} [{}]", column, unit);
}

std::string metric_label(const std::string& metric) {
  const MetricWords* words = words_of(metric);
  return words ? words->label : metric;
}

double metric_factor(const std::string& metric) {
  const MetricWords* words = words_of(metric);
  return words ? words->factor : 1;
}

std::vector<std::string> report_columns(const DatabaseFile& file) {
  std::vector<std::string> names;
  for (const AxisColumn& axis : file.axes()) names.push_back(axis.name);
  for (const std::string& metric : file.metrics()) {
    for (const char* part : {".mean", ".ci95.low", ".ci95.high"}) {
      if (file.columns().contains(metric + part)) names.push_back(metric + part);
    }
  }
  return names;
}

ReportData::ReportData(const std::vector<AxisColumn>& axes, const std::vector<std::string>& metrics,
                       const DatabaseTable& table) {
  for (const AxisColumn& column : axes) {
    ReportAxis axis = axis_of(column, table.column(column.name));
    if (axis.values.size() == 1) constants_.emplace_back(axis.label, readable(axis.values.front()));
    if (axis.values.size() > 1) axes_.push_back(std::move(axis));
  }
  for (const std::string& name : metrics) {
    const double factor = metric_factor(name);
    metrics_.push_back({name, metric_label(name), numbers(table, name + ".mean", factor),
                        numbers(table, name + ".ci95.low", factor), numbers(table, name + ".ci95.high", factor)});
  }
}

std::vector<std::vector<ReportCell>> ReportData::cells(const ReportMetric& metric, const ReportAxis& a,
                                                       const ReportAxis& b) const {
  std::vector<std::vector<ReportCell>> cells(a.values.size(), std::vector<ReportCell>(b.values.size()));
  for (std::size_t row = 0; row < metric.mean.size(); ++row) add_row(cells[a.of_row[row]][b.of_row[row]], metric, row);
  for (auto& line : cells) {
    for (ReportCell& cell : line) finish(cell);
  }
  return cells;
}

std::vector<ReportCell> ReportData::cells(const ReportMetric& metric, const ReportAxis& axis) const {
  std::vector<ReportCell> cells(axis.values.size());
  for (std::size_t row = 0; row < metric.mean.size(); ++row) add_row(cells[axis.of_row[row]], metric, row);
  for (ReportCell& cell : cells) finish(cell);
  return cells;
}

std::vector<std::size_t> ReportData::strongest(const ReportMetric& metric) const {
  std::vector<double> moves;
  for (const ReportAxis& axis : axes_) {
    double least = std::numeric_limits<double>::infinity(), largest = -least;
    for (const ReportCell& cell : cells(metric, axis)) {
      if (cell.rows == 0) continue;
      least = std::min(least, cell.mean), largest = std::max(largest, cell.mean);
    }
    moves.push_back(largest - least);
  }
  std::vector<std::size_t> order(axes_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return moves[a] > moves[b]; });
  return order;
}

}  // namespace crossgrid
