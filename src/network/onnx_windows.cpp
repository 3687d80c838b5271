#include "onnx_windows.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace crossgrid {
namespace {

constexpr std::int64_t largest = 1 << 16;

/// The attributes that windows have, one entry for each spatial dimension.
struct Windows {
  std::vector<std::int64_t> kernel, strides, dilations, before, after;
  std::string automatic;

  std::size_t size() const { return kernel.size(); }
  std::int64_t reach(std::size_t k) const { return dilations[k] * (kernel[k] - 1) + 1; }
};

std::vector<std::int64_t> numbers(const OnnxNode& node, const std::string& key, std::size_t count,
                                  std::int64_t otherwise, std::int64_t least) {
  auto values = node.integers(key, std::vector<std::int64_t>(count, otherwise));
  const bool fit =
      values.size() == count && std::ranges::all_of(values, [&](std::int64_t v) { return v >= least && v <= largest; });
  if (!fit) {
    throw node.error(fmt::format("has {} [{}], expected {} numbers from {} to {}", key, fmt::join(values, ", "), count,
                                 least, largest));
  }
  return values;
}

Windows read_windows(const OnnxNode& node, const Extents& input, std::vector<std::int64_t> kernel) {
  Windows windows;
  const std::size_t count = input.size() - 2;
  windows.kernel = node.has("kernel_shape") || kernel.empty() ? numbers(node, "kernel_shape", count, 0, 1) : kernel;
  if (!kernel.empty() && windows.kernel != kernel) {
    throw node.error(fmt::format("has kernel_shape [{}], its weights [{}]", fmt::join(windows.kernel, ", "),
                                 fmt::join(kernel, ", ")));
  }
  windows.strides = numbers(node, "strides", count, 1, 1);
  windows.dilations = numbers(node, "dilations", count, 1, 1);
  windows.automatic = node.text("auto_pad", "NOTSET");
  if (windows.automatic.empty()) windows.automatic = "NOTSET";
  const bool given = windows.automatic == "NOTSET";
  const auto pads = given ? numbers(node, "pads", 2 * count, 0, 0) : std::vector<std::int64_t>(2 * count, 0);
  windows.before.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(count));
  windows.after.assign(pads.begin() + static_cast<std::ptrdiff_t>(count), pads.end());
  if (windows.automatic != "NOTSET" && windows.automatic != "VALID" && windows.automatic != "SAME_UPPER" &&
      windows.automatic != "SAME_LOWER") {
    throw node.error(
        fmt::format("has auto_pad {}, expected NOTSET, VALID, SAME_UPPER or SAME_LOWER", windows.automatic));
  }
  return windows;
}

/// Padding so that there are extent / stride outputs, rounded up.
void pad_to_same(Windows& windows, const Extents& input) {
  if (!windows.automatic.starts_with("SAME")) return;
  for (std::size_t k = 0; k < windows.size(); ++k) {
    const std::int64_t outputs = (input[k + 2] + windows.strides[k] - 1) / windows.strides[k];
    const std::int64_t all =
        std::max<std::int64_t>(0, (outputs - 1) * windows.strides[k] + windows.reach(k) - input[k + 2]);
    windows.before[k] = windows.automatic == "SAME_UPPER" ? all / 2 : all - all / 2;
    windows.after[k] = all - windows.before[k];
  }
}

WindowAxis axis(const Windows& windows, std::size_t k) {
  const auto number = [](std::int64_t value) { return static_cast<int>(value); };
  return {number(windows.kernel[k]), number(windows.strides[k]), number(windows.dilations[k]),
          number(windows.before[k]), number(windows.after[k])};
}

Window window_of(const Windows& windows) {
  Window window;
  window.horizontal = axis(windows, windows.size() - 1);
  if (windows.size() == 2) window.vertical = axis(windows, 0);
  return window;
}

}  // namespace

Window read_window(const OnnxNode& node, const Extents& input, const Extents& weights) {
  Windows windows = read_windows(node, input, {weights.begin() + 2, weights.end()});
  pad_to_same(windows, input);
  return window_of(windows);
}

std::optional<Window> read_pool_window(const OnnxNode& node, const Extents& input) {
  if (!node.has("kernel_shape")) throw node.error("has no kernel_shape");
  Windows windows = read_windows(node, input, {});
  pad_to_same(windows, input);
  const bool ceil = node.integer("ceil_mode", 0) != 0;
  for (std::size_t k = 0; k < windows.size(); ++k) {
    const std::int64_t extent = input[k + 2], stride = windows.strides[k];
    std::int64_t beyond = extent + windows.before[k] + windows.after[k] - windows.reach(k);
    if (beyond < 0) return std::nullopt;  // the operator says what is wrong
    if (ceil && beyond % stride != 0) {
      windows.after[k] += stride - beyond % stride;
      beyond += stride - beyond % stride;
    }
    // A window of padding alone has no largest value and no mean.
    const bool first_is_padding = windows.before[k] >= windows.reach(k);
    const bool last_is_padding = beyond / stride * stride - windows.before[k] >= extent;
    if (first_is_padding || last_is_padding || windows.dilations[k] > 1) return std::nullopt;
  }
  return window_of(windows);
}

SpreadWindow read_spread_window(const OnnxNode& node, const Extents& input, const Extents& weights) {
  const std::size_t count = input.size() - 2;
  Windows windows = read_windows(node, input, {weights.begin() + 2, weights.end()});
  const auto more = numbers(node, "output_padding", count, 0, 0);
  const auto wanted = node.integers("output_shape", {});
  if (!wanted.empty() && wanted.size() != count) {
    throw node.error(fmt::format("has output_shape [{}], expected {} numbers", fmt::join(wanted, ", "), count));
  }
  std::vector<SpreadAxis> axes(count);
  for (std::size_t k = 0; k < count; ++k) {
    const std::int64_t extent = input[k + 2], stride = windows.strides[k];
    const std::int64_t whole = stride * (extent - 1) + more[k] + windows.reach(k);
    const bool same = windows.automatic.starts_with("SAME");
    std::int64_t outputs = whole - windows.before[k] - windows.after[k];
    if (same || !wanted.empty()) {
      outputs = wanted.empty() ? extent * stride : wanted[k];
      const std::int64_t cut = std::max<std::int64_t>(0, whole - outputs);
      windows.before[k] = windows.automatic == "SAME_UPPER" ? cut / 2 : cut - cut / 2;
    }
    if (outputs < 1 || outputs > largest) {
      throw node.error(fmt::format("makes {} outputs along one dimension, expected 1 to {}", outputs, largest));
    }
    axes[k] = {extent, outputs + windows.reach(k) - 1, windows.reach(k) - 1 - windows.before[k], stride};
    windows.strides[k] = 1, windows.before[k] = windows.after[k] = 0;
  }
  SpreadWindow spread;
  spread.window = window_of(windows);
  spread.horizontal = axes.back();
  if (count == 2) spread.vertical = axes.front();
  return spread;
}

}  // namespace crossgrid
