#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "operator_checks.hpp"

namespace crossgrid {

/// What convolutions and pools do along one axis: output o sees the inputs o stride - pad + k dilation, 0 <= k <
/// kernel.
struct WindowAxis {
  std::int64_t input = 0, kernel = 0, stride = 1, dilation = 1, pad = 0, end_pad = 0, output = 0;

  std::int64_t span() const { return (kernel - 1) * dilation + 1; }
  std::int64_t start(std::int64_t at) const { return at * stride - pad; }
  /// The taps (first, behind the last) of output `at` that see inputs from `low` to before `high`.
  std::pair<std::int64_t, std::int64_t> taps(std::int64_t at, std::int64_t low, std::int64_t high) const;
  std::pair<std::int64_t, std::int64_t> taps(std::int64_t at) const { return taps(at, 0, input); }
};
using WindowAxes = std::vector<WindowAxis>;

/// An attribute of `count` integers from `least` to most_values; `otherwise` for each where it is left out.
Extents window_integers(const OnnxNode& node, const std::string& key, std::size_t count, std::int64_t least,
                        std::int64_t otherwise);

/// How pads are found: none: by the attribute pads.
enum class AutoPad { none, same_upper, same_lower, valid };
AutoPad auto_pad(const OnnxNode& node);

/// The extents from axis 2 on; Error where there are none, or none to see.
Extents spatial_extents(const OnnxNode& node, const OnnxTensor& input);

/// By the attributes strides, dilations, pads, auto_pad and ceil_mode.
WindowAxes window_axes(const OnnxNode& node, const Extents& input, const Extents& kernel);

/// Two leading extents, then the axes' outputs.
Extents window_outputs(std::int64_t first, std::int64_t second, const WindowAxes& axes);

}  // namespace crossgrid
