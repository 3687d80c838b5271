#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "crossgrid/app/svg_plots.hpp"
#include "crossgrid/engine/database_file.hpp"

namespace crossgrid {

/// An axis of the grid that varies, as plots show it.
struct ReportAxis {
  std::string name;
  std::string label;                  ///< with its unit
  std::vector<DatabaseValue> values;  ///< in the order in which they are drawn
  std::vector<std::size_t> of_row;    ///< number of each row's value
  bool numeric = false;               ///< all values are numbers
};

/// A metric of all rows; NaN where there is none. Shares are in percent.
struct ReportMetric {
  std::string name;
  std::string label;  ///< with its unit
  std::vector<double> mean, low, high;
};

/// Rows that share something: the mean of their means, and where these lie.
struct ReportCell {
  std::uint64_t rows = 0;  ///< with a result
  double mean = 0, least = 0, largest = 0;
  double low = 0, high = 0;  ///< 95 % interval over chips, where it is one row
};

/// What the plots of a report are made of.
class ReportData {
 public:
  /// Of a database, whose texts it refers to.
  ReportData(const std::vector<AxisColumn>& axes, const std::vector<std::string>& metrics, const DatabaseTable& table);

  const std::vector<ReportAxis>& axes() const { return axes_; }
  /// Axes with one value: name and value.
  const std::vector<std::pair<std::string, std::string>>& constants() const { return constants_; }
  const std::vector<ReportMetric>& metrics() const { return metrics_; }

  /// A cell for each pair of values of two axes: [number of a's value][number of b's value].
  std::vector<std::vector<ReportCell>> cells(const ReportMetric& metric, const ReportAxis& a,
                                             const ReportAxis& b) const;
  std::vector<ReportCell> cells(const ReportMetric& metric, const ReportAxis& axis) const;
  /// Axes by how far the metric's mean moves along them, the farthest first.
  std::vector<std::size_t> strongest(const ReportMetric& metric) const;

 private:
  std::vector<ReportAxis> axes_;
  std::vector<std::pair<std::string, std::string>> constants_;
  std::vector<ReportMetric> metrics_;
};

/// The columns of a database that ReportData takes, as far as it has them.
std::vector<std::string> report_columns(const DatabaseFile& file);

/// "adc.bits [bit]".
std::string column_label(const std::string& column, const std::string& unit);
/// What a metric is called, with its unit.
std::string metric_label(const std::string& metric);
/// 100 for metrics that are shares of one, else 1.
double metric_factor(const std::string& metric);

}  // namespace crossgrid
