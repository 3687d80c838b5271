#include "window_axes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace crossgrid {
namespace {

/// For numerator and denominator above 0 or a numerator of 0.
std::int64_t quotient_up(std::int64_t numerator, std::int64_t denominator) {
  return (numerator + denominator - 1) / denominator;
}

/// As many outputs as inputs per stride (auto_pad SAME_*): pads of equal size, the odd one at the end or the beginning.
void pad_to_same(WindowAxis& axis, bool odd_at_end) {
  axis.output = quotient_up(axis.input, axis.stride);
  const std::int64_t total = std::max<std::int64_t>(0, (axis.output - 1) * axis.stride + axis.span() - axis.input);
  axis.pad = odd_at_end ? total / 2 : total - total / 2;
  axis.end_pad = total - axis.pad;
}

void count_outputs(WindowAxis& axis, bool up) {
  const std::int64_t room = axis.input + axis.pad + axis.end_pad - axis.span();
  if (room < 0) return;
  axis.output = (up ? quotient_up(room, axis.stride) : room / axis.stride) + 1;
  // A window that would begin behind the input and its leading pad is none.
  if (up && axis.start(axis.output - 1) >= axis.input) --axis.output;
}

}  // namespace

std::pair<std::int64_t, std::int64_t> WindowAxis::taps(std::int64_t at, std::int64_t low, std::int64_t high) const {
  const std::int64_t from = start(at);
  const std::int64_t first = from < low ? quotient_up(low - from, dilation) : 0;
  const std::int64_t behind = from < high ? std::min(kernel, quotient_up(high - from, dilation)) : 0;
  return {first, std::max(first, behind)};
}

Extents window_integers(const OnnxNode& node, const std::string& key, std::size_t count, std::int64_t least,
                        std::int64_t otherwise) {
  const Extents values = node.integers(key, Extents(count, otherwise));
  const bool fit =
      std::ranges::all_of(values, [&](std::int64_t value) { return value >= least && value <= most_values; });
  if (!fit || values.size() != count) {
    throw node.error(fmt::format("has {} [{}], expected {} integers from {} to {}", key, fmt::join(values, ", "), count,
                                 least, most_values));
  }
  return values;
}

AutoPad auto_pad(const OnnxNode& node) {
  const std::string text = node.text("auto_pad", "NOTSET");
  if (text == "NOTSET" || text.empty()) return AutoPad::none;
  if (text == "SAME_UPPER") return AutoPad::same_upper;
  if (text == "SAME_LOWER") return AutoPad::same_lower;
  if (text == "VALID") return AutoPad::valid;
  throw node.error(fmt::format("has auto_pad '{}', expected NOTSET, SAME_UPPER, SAME_LOWER or VALID", text));
}

Extents spatial_extents(const OnnxNode& node, const OnnxTensor& input) {
  const Extents& dims = input.dims();
  const bool fit = dims.size() >= 3 && std::all_of(dims.begin() + 2, dims.end(), [](std::int64_t extent) {
                     return extent >= 1 && extent <= most_values;
                   });
  if (!fit) {
    throw node.error(fmt::format("has an input of {}, expected two axes and at least one more of 1 to {} values",
                                 extents_text(dims), most_values));
  }
  return {dims.begin() + 2, dims.end()};
}

WindowAxes window_axes(const OnnxNode& node, const Extents& input, const Extents& kernel) {
  const std::size_t rank = input.size();
  const Extents strides = window_integers(node, "strides", rank, 1, 1);
  const Extents dilations = window_integers(node, "dilations", rank, 1, 1);
  const Extents pads = window_integers(node, "pads", 2 * rank, 0, 0);
  const AutoPad automatic = auto_pad(node);
  WindowAxes axes(rank);
  for (std::size_t k = 0; k < rank; ++k) {
    WindowAxis& axis = axes[k];
    axis.input = input[k], axis.kernel = kernel[k], axis.stride = strides[k], axis.dilation = dilations[k];
    if (automatic == AutoPad::same_upper || automatic == AutoPad::same_lower) {
      pad_to_same(axis, automatic == AutoPad::same_upper);
    } else {
      if (automatic == AutoPad::none) axis.pad = pads[k], axis.end_pad = pads[rank + k];
      count_outputs(axis, node.integer("ceil_mode", 0) != 0);
    }
    if (axis.output < 1) {
      throw node.error(fmt::format("axis {} of {} values, padded by {} and {}, has no room for a window of {}", k + 2,
                                   axis.input, axis.pad, axis.end_pad, axis.span()));
    }
  }
  return axes;
}

Extents window_outputs(std::int64_t first, std::int64_t second, const WindowAxes& axes) {
  Extents dims{first, second};
  for (const WindowAxis& axis : axes) dims.push_back(axis.output);
  return dims;
}

}  // namespace crossgrid
