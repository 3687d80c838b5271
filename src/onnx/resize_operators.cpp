#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "index_sources.hpp"
#include "operator_checks.hpp"
#include "resize_axis.hpp"

namespace crossgrid {
namespace {

using ResizeAxes = std::vector<ResizeAxis>;

struct Resizing {
  ResizeAxes axes;
  std::string mode;
  Coordinate coordinate = nullptr;
  NearestRounding rounding = nullptr;
  double cubic_a = -0.75;
  bool exclude_outside = false;
  bool extrapolates = false;  ///< outside of the input values are `outside`
  double outside = 0;

  Extents outputs() const {
    Extents dims;
    for (const ResizeAxis& axis : axes) dims.push_back(axis.output);
    return dims;
  }
  /// To float's precision, as those are who made the scales: 3 / 0.6f is 5.
  double at(const ResizeAxis& axis, std::int64_t output) const {
    const double found = coordinate(axis, static_cast<double>(output));
    return static_cast<double>(static_cast<float>(std::clamp(found, -1.0 * most_values, 2.0 * most_values)));
  }
  bool is_outside(const ResizeAxis& axis, std::int64_t output) const {
    const double found = at(axis, output);
    return extrapolates && (found < 0 || found > static_cast<double>(axis.input - 1));
  }
};

/// An input that is there and not empty.
const OnnxTensor* given(OnnxInputs inputs, std::size_t k) {
  const OnnxTensor* const input = optional_input(inputs, k);
  return input && input->size() > 0 ? input : nullptr;
}

void expect_count(const OnnxNode& node, std::size_t found, std::size_t expected, const char* what) {
  if (found != expected) throw node.error(fmt::format("has {} {}, expected {}", found, what, expected));
}

/// In floats, as their sizes were computed where the scales were made: 0.7f * 10 is 7.
void scale_axes(const OnnxNode& node, ResizeAxes& axes, const std::vector<std::size_t>& which,
                const std::vector<double>& scales) {
  expect_count(node, scales.size(), which.size(), "scales");
  for (std::size_t k = 0; k < which.size(); ++k) {
    ResizeAxis& axis = axes[which[k]];
    axis.scale = scales[k];
    const auto part = static_cast<float>(static_cast<double>(axis.input) * (axis.end - axis.start));
    const auto output = static_cast<double>(std::floor(part * static_cast<float>(axis.scale)));
    if (!(axis.scale > 0) || !(output >= 1) || output > most_values) {
      throw node.error(fmt::format("scales axis {} of {} values by {}, expected 1 to {} values", which[k], axis.input,
                                   axis.scale, most_values));
    }
    axis.output = static_cast<std::int64_t>(output);
  }
}

void size_axes(const OnnxNode& node, ResizeAxes& axes, const std::vector<std::size_t>& which,
               const std::vector<std::int64_t>& sizes) {
  expect_count(node, sizes.size(), which.size(), "sizes");
  for (std::size_t k = 0; k < which.size(); ++k) {
    if (sizes[k] < 1) throw node.error(fmt::format("resizes axis {} to {}, expected 1 or more", which[k], sizes[k]));
    ResizeAxis& axis = axes[which[k]];
    axis.output = sizes[k];
    axis.scale = static_cast<double>(sizes[k]) / static_cast<double>(axis.input);
  }
}

std::vector<std::size_t> all_axes(const ResizeAxes& axes) {
  std::vector<std::size_t> all(axes.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

ResizeAxes axes_of(const OnnxNode& node, const OnnxTensor& input) {
  ResizeAxes axes;
  for (const std::int64_t extent : input.dims()) {
    if (extent < 1 || extent > most_values) {
      throw node.error(
          fmt::format("input 0 is {}, expected axes of 1 to {} values", extents_text(input.dims()), most_values));
    }
    axes.push_back({.input = extent, .output = extent});
  }
  return axes;
}

OnnxTensor nearest(const Resizing& resizing, const OnnxTensor& input) {
  std::vector<Sources> along;
  for (const ResizeAxis& axis : resizing.axes) {
    Sources sources;
    for (std::int64_t k = 0; k < axis.output; ++k) {
      const auto found = static_cast<std::int64_t>(resizing.rounding(resizing.at(axis, k)));
      sources.push_back(resizing.is_outside(axis, k) ? -1 : std::clamp<std::int64_t>(found, 0, axis.input - 1));
    }
    along.push_back(std::move(sources));
  }
  return input.picked(resizing.outputs(), grid_sources(input.dims(), along), resizing.outside);
}

Taps taps_at(const Resizing& resizing, const ResizeAxis& axis, std::int64_t output) {
  const double at = resizing.at(axis, output);
  Taps taps = resizing.mode == "cubic" ? cubic_taps(at, resizing.cubic_a) : linear_taps(at);
  if (!resizing.exclude_outside) return taps;
  double sum = 0;
  for (std::size_t k = 0; k < taps.weights.size(); ++k) {
    const std::int64_t from = taps.first + static_cast<std::int64_t>(k);
    if (from < 0 || from >= axis.input) taps.weights[k] = 0;
    sum += taps.weights[k];
  }
  if (sum != 0) std::ranges::for_each(taps.weights, [&](double& weight) { weight /= sum; });
  return taps;
}

/// Along one axis; what lies outside of the input is its edge.
std::vector<double> interpolated(const Resizing& resizing, std::size_t k, const AxisView& view,
                                 const std::vector<double>& values) {
  const ResizeAxis& axis = resizing.axes[k];
  std::vector<double> results(static_cast<std::size_t>(view.outer * axis.output * view.inner), 0.0);
  for (std::int64_t output = 0; output < axis.output; ++output) {
    const Taps taps = taps_at(resizing, axis, output);
    for (std::size_t tap = 0; tap < taps.weights.size(); ++tap) {
      // A weight of 0 would make infinity not a number.
      if (taps.weights[tap] == 0) continue;
      const std::int64_t from =
          std::clamp<std::int64_t>(taps.first + static_cast<std::int64_t>(tap), 0, axis.input - 1);
      for (std::int64_t outer = 0; outer < view.outer; ++outer) {
        double* const to = results.data() + (outer * axis.output + output) * view.inner;
        const double* const source = values.data() + (outer * axis.input + from) * view.inner;
        for (std::int64_t inner = 0; inner < view.inner; ++inner) to[inner] += taps.weights[tap] * source[inner];
      }
    }
  }
  return results;
}

void extrapolate(const Resizing& resizing, std::vector<double>& values) {
  const Extents dims = resizing.outputs();
  for (std::size_t k = 0; k < dims.size(); ++k) {
    const AxisView view = view_at(dims, k);
    for (std::int64_t output = 0; output < view.extent; ++output) {
      if (!resizing.is_outside(resizing.axes[k], output)) continue;
      for (std::int64_t outer = 0; outer < view.outer; ++outer) {
        const auto from = values.begin() + (outer * view.extent + output) * view.inner;
        std::fill(from, from + view.inner, resizing.outside);
      }
    }
  }
}

OnnxTensor interpolated(const OnnxNode& node, const Resizing& resizing, const OnnxTensor& input) {
  if (!input.real()) {
    throw node.error(fmt::format("interpolates {} ({}), expected reals", type_name(input.type()), resizing.mode));
  }
  std::vector<double> values = input.as_reals();
  Extents dims = input.dims();
  for (std::size_t k = 0; k < dims.size(); ++k) {
    if (!resizing.axes[k].changes()) continue;
    const AxisView view = view_at(dims, k);
    dims[k] = resizing.axes[k].output;
    checked_size(node, dims);
    values = interpolated(resizing, k, view, values);
  }
  extrapolate(resizing, values);
  return OnnxTensor::of_reals(input.type(), std::move(dims), std::move(values));
}

std::vector<OnnxTensor> resized(const OnnxNode& node, const Resizing& resizing, const OnnxTensor& input) {
  checked_size(node, input.dims());
  checked_size(node, resizing.outputs());
  if (resizing.mode == "nearest") return {nearest(resizing, input)};
  if (resizing.mode == "linear" || resizing.mode == "cubic") return {interpolated(node, resizing, input)};
  throw node.error(fmt::format("has mode '{}', expected nearest, linear or cubic", resizing.mode));
}

/// What Upsample and Resize before opset 11 do.
Resizing early_resizing(const OnnxNode& node, const OnnxTensor& input, const std::vector<double>& scales) {
  Resizing resizing;
  resizing.axes = axes_of(node, input);
  resizing.mode = node.text("mode", "nearest");
  resizing.coordinate = resize_coordinate(node, "asymmetric");
  resizing.rounding = nearest_rounding(node, "floor");
  scale_axes(node, resizing.axes, all_axes(resizing.axes), scales);
  return resizing;
}

std::vector<OnnxTensor> upsample(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = needed_input(node, inputs, 0);
  const auto scales = node.opset < 9 ? node.numbers("scales", {}) : real_input(node, inputs, 1).as_reals();
  return resized(node, early_resizing(node, input, scales), input);
}

void read_region(const OnnxNode& node, OnnxInputs inputs, ResizeAxes& axes, const std::vector<std::size_t>& which) {
  const std::vector<double> region = real_input(node, inputs, 1).as_reals();
  expect_count(node, region.size(), 2 * which.size(), "numbers for its region (roi)");
  for (std::size_t k = 0; k < which.size(); ++k) {
    ResizeAxis& axis = axes[which[k]];
    axis.start = region[k], axis.end = region[which.size() + k];
    if (!std::isfinite(axis.start) || !std::isfinite(axis.end)) {
      throw node.error(fmt::format("axis {} of its region (roi) is from {} to {}", which[k], axis.start, axis.end));
    }
  }
}

/// What came with opset 18 and changes results.
void refuse_newer_ways(const OnnxNode& node) {
  if (node.integer("antialias", 0) != 0) throw node.error("has antialias 1, which is not supported: export it with 0");
  const std::string policy = node.text("keep_aspect_ratio_policy", "stretch");
  if (policy != "stretch") {
    throw node.error(fmt::format("has keep_aspect_ratio_policy '{}', expected stretch: give the sizes", policy));
  }
}

std::vector<OnnxTensor> resize(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = needed_input(node, inputs, 0);
  if (node.opset < 11) return resized(node, early_resizing(node, input, real_input(node, inputs, 1).as_reals()), input);
  refuse_newer_ways(node);
  Resizing resizing;
  resizing.axes = axes_of(node, input);
  const std::vector<std::size_t> which =
      node.has("axes") ? checked_axes(node, node.integers("axes", {}), resizing.axes.size()) : all_axes(resizing.axes);
  resizing.mode = node.text("mode", "nearest");
  const std::string coordinates = node.text("coordinate_transformation_mode", "half_pixel");
  resizing.coordinate = resize_coordinate(node, coordinates);
  resizing.rounding = nearest_rounding(node, node.text("nearest_mode", "round_prefer_floor"));
  resizing.cubic_a = node.number("cubic_coeff_a", -0.75F);
  resizing.exclude_outside = node.integer("exclude_outside", 0) != 0;
  resizing.extrapolates = coordinates == "tf_crop_and_resize";
  resizing.outside = node.number("extrapolation_value", 0);
  if (resizing.extrapolates) read_region(node, inputs, resizing.axes, which);
  const OnnxTensor *const scales = given(inputs, 2), *const sizes = given(inputs, 3);
  if ((scales == nullptr) == (sizes == nullptr)) throw node.error("needs either scales or sizes");
  if (scales) {
    scale_axes(node, resizing.axes, which, scales->as_reals());
  } else {
    size_axes(node, resizing.axes, which, sizes->as_integers());
  }
  return resized(node, resizing, input);
}

}  // namespace

void add_resize_operators(OnnxOperators& operators) {
  operators["Resize"] = resize;
  operators["Upsample"] = upsample;
}

}  // namespace crossgrid
