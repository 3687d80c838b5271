#pragma once

#include <string>
#include <vector>

#include "crossgrid/onnx/onnx_graph.hpp"

namespace crossgrid {

/// One axis of a resized tensor.
struct ResizeAxis {
  std::int64_t input = 0, output = 0;
  double scale = 1;
  double start = 0, end = 1;  ///< the part that is resized, where that is the coordinates' kind

  bool changes() const { return input != output || scale != 1 || start != 0 || end != 1; }
};

/// Where a value of the output lies among the input's, which are at 0, 1, ...
using Coordinate = double (*)(const ResizeAxis& axis, double at);
/// By ONNX's coordinate_transformation_mode.
Coordinate resize_coordinate(const OnnxNode& node, const std::string& mode);

/// By ONNX's nearest_mode: the input's place for a coordinate.
using NearestRounding = double (*)(double coordinate);
NearestRounding nearest_rounding(const OnnxNode& node, const std::string& mode);

/// What an output is a sum of: inputs, which may lie outside, and weights.
struct Taps {
  std::int64_t first = 0;
  std::vector<double> weights;
};
Taps linear_taps(double coordinate);
/// Keys' cubic convolution with the parameter a.
Taps cubic_taps(double coordinate, double a);

}  // namespace crossgrid
