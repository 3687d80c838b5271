#pragma once

#include <string>
#include <vector>

#include "crossgrid/app/plot_scale.hpp"

/// Plots as SVG elements that need nothing but themselves. All texts are escaped. Colours can be told apart with any
/// colour vision; NaN is a gap.
namespace crossgrid {

/// Lines over the values of an axis.
struct LinePlot {
  struct Line {
    std::string name;
    std::vector<double> mean, low, high;  ///< one per value of the axis; low and high are the ends of the bars
  };
  AxisScale x;
  std::string x_label, y_label, legend;
  bool ordered = false;  ///< the lines' names are numbers: their colours go from dark to light
  std::vector<Line> lines;
};
std::string svg_text(const LinePlot& plot);

/// A metric over the values of two axes.
struct HeatMap {
  std::vector<std::string> columns, rows;  ///< names of the values, rows from below
  std::string x_label, y_label, z_label;
  std::vector<std::vector<double>> values;  ///< [row][column]
};
std::string svg_text(const HeatMap& plot);

/// Points, those of a Pareto front joined by steps.
struct ScatterPlot {
  struct Point {
    double x = 0, y = 0;
    bool front = false;
  };
  std::string x_label, y_label;
  bool x_maximised = false;   ///< which way the steps go
  std::vector<Point> points;  ///< finite, at least one
};
std::string svg_text(const ScatterPlot& plot);

}  // namespace crossgrid
