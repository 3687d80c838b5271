#include "resize_axis.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>

namespace crossgrid {
namespace {

double last(std::int64_t extent) {
  return static_cast<double>(extent - 1);
}

double half_pixel(const ResizeAxis& axis, double at) {
  return (at + 0.5) / axis.scale - 0.5;
}

double pytorch_half_pixel(const ResizeAxis& axis, double at) {
  return axis.output > 1 ? half_pixel(axis, at) : 0;
}

/// The last corner is that of the scaled extent, which need not be whole.
double align_corners(const ResizeAxis& axis, double at) {
  return axis.output > 1 ? at * last(axis.input) / (static_cast<double>(axis.input) * axis.scale - 1) : 0;
}

double asymmetric(const ResizeAxis& axis, double at) {
  return at / axis.scale;
}

double tf_half_pixel_for_nn(const ResizeAxis& axis, double at) {
  return (at + 0.5) / axis.scale;
}

double tf_crop_and_resize(const ResizeAxis& axis, double at) {
  if (axis.output == 1) return 0.5 * (axis.start + axis.end) * last(axis.input);
  return axis.start * last(axis.input) + at * (axis.end - axis.start) * last(axis.input) / last(axis.output);
}

template <class Function>
Function named(const OnnxNode& node, const std::map<std::string, Function>& functions, const char* what,
               const std::string& name) {
  const auto found = functions.find(name);
  if (found != functions.end()) return found->second;
  std::string all;
  for (const auto& [known, function] : functions) all += (all.empty() ? "" : ", ") + known;
  throw node.error(fmt::format("has {} '{}', expected one of {}", what, name, all));
}

}  // namespace

Coordinate resize_coordinate(const OnnxNode& node, const std::string& mode) {
  static const std::map<std::string, Coordinate> kinds{{"half_pixel", half_pixel},
                                                       {"pytorch_half_pixel", pytorch_half_pixel},
                                                       {"align_corners", align_corners},
                                                       {"asymmetric", asymmetric},
                                                       {"tf_half_pixel_for_nn", tf_half_pixel_for_nn},
                                                       {"tf_crop_and_resize", tf_crop_and_resize}};
  return named(node, kinds, "coordinate_transformation_mode", mode);
}

NearestRounding nearest_rounding(const OnnxNode& node, const std::string& mode) {
  static const std::map<std::string, NearestRounding> kinds{
      {"round_prefer_floor", [](double x) { return std::ceil(x - 0.5); }},
      {"round_prefer_ceil", [](double x) { return std::floor(x + 0.5); }},
      {"floor", [](double x) { return std::floor(x); }},
      {"ceil", [](double x) { return std::ceil(x); }}};
  return named(node, kinds, "nearest_mode", mode);
}

Taps linear_taps(double coordinate) {
  const double below = std::floor(coordinate), part = coordinate - below;
  return {static_cast<std::int64_t>(below), {1 - part, part}};
}

Taps cubic_taps(double coordinate, double a) {
  const double below = std::floor(coordinate), part = coordinate - below;
  const auto near = [&](double off) { return ((a + 2) * off - (a + 3)) * off * off + 1; };
  const auto far = [&](double off) { return ((a * off - 5 * a) * off + 8 * a) * off - 4 * a; };
  return {static_cast<std::int64_t>(below) - 1, {far(1 + part), near(part), near(1 - part), far(2 - part)}};
}

}  // namespace crossgrid
