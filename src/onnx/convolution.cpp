#include "convolution.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "positions.hpp"

namespace crossgrid {
namespace {

/// Neighbours of the small side along its last axis that meet one tap of the kernel, and whom they meet.
struct Run {
  std::int64_t small, large, count;
};

/// The outputs of an axis (first, behind the last) whose tap `tap` is an input.
std::pair<std::int64_t, std::int64_t> outputs_of_tap(const WindowAxis& axis, std::int64_t tap) {
  const std::int64_t shift = tap * axis.dilation - axis.pad;  // output o sees input o stride + shift
  const std::int64_t first = shift < 0 ? (-shift + axis.stride - 1) / axis.stride : 0;
  const std::int64_t behind =
      shift < axis.input ? std::min(axis.output, (axis.input - 1 - shift) / axis.stride + 1) : 0;
  return {first, std::max(first, behind)};
}

std::vector<Run> runs_of_tap(const WindowAxes& axes, const Extents& tap) {
  const std::size_t last = axes.size() - 1;
  Extents first, extents;
  for (std::size_t k = 0; k < axes.size(); ++k) {
    const auto [from, behind] = outputs_of_tap(axes[k], tap[k]);
    if (from == behind) return {};
    first.push_back(from), extents.push_back(behind - from);
  }
  const std::int64_t count = extents[last];
  extents[last] = 1;
  std::vector<Run> runs;
  Extents at(axes.size(), 0);
  do {
    Run run{0, 0, count};
    for (std::size_t k = 0; k < axes.size(); ++k) {
      const std::int64_t output = first[k] + at[k];
      run.small = run.small * axes[k].output + output;
      run.large = run.large * axes[k].input + axes[k].start(output) + tap[k] * axes[k].dilation;
    }
    runs.push_back(run);
  } while (advance(at, extents));
  return runs;
}

/// Calls meet(small plane, large plane, weight, runs) for all pairs of channels and all taps.
template <class Meet>
void for_each_meeting(const Convolution& sizes, const std::vector<double>& weights, const Meet& meet) {
  if (sizes.batch == 0 || sizes.small == 0 || sizes.large == 0) return;
  Extents kernel;
  for (const WindowAxis& axis : sizes.axes) kernel.push_back(axis.kernel);
  const std::int64_t taps = element_count(kernel);
  const std::int64_t group_large = sizes.large / sizes.groups;
  const std::int64_t group_small = sizes.small / sizes.groups;
  Extents at(kernel.size(), 0);
  for (std::int64_t tap = 0; tap < taps; ++tap, advance(at, kernel)) {
    const std::vector<Run> runs = runs_of_tap(sizes.axes, at);
    for (std::int64_t image = 0; image < sizes.batch; ++image) {
      for (std::int64_t small = 0; small < sizes.small; ++small) {
        const std::int64_t first_large = small / group_small * group_large;
        for (std::int64_t k = 0; k < group_large; ++k) {
          const double weight = weights[static_cast<std::size_t>((small * group_large + k) * taps + tap)];
          meet(image * sizes.small + small, image * sizes.large + first_large + k, weight, runs);
        }
      }
    }
  }
}

std::int64_t plane_size(const Extents& dims) {
  return element_count({dims.begin() + 2, dims.end()});
}

/// Channels, groups and weights that fit; the input has `channels`.
Convolution sizes_of(const OnnxNode& node, const OnnxTensor& input, const OnnxTensor& weights) {
  const Extents spatial = spatial_extents(node, input);
  if (weights.rank() != input.rank()) {
    throw node.error(fmt::format("input 0 is {}, its weights {}: expected as many axes", extents_text(input.dims()),
                                 extents_text(weights.dims())));
  }
  const Extents kernel = spatial_extents(node, weights);
  if (node.integers("kernel_shape", kernel) != kernel) {
    throw node.error(fmt::format("kernel_shape is {}, expected that of its weights ({})",
                                 extents_text(node.integers("kernel_shape", kernel)), extents_text(kernel)));
  }
  Convolution sizes;
  sizes.batch = input.dims()[0];
  sizes.groups = node.integer("group", 1);
  sizes.small = weights.dims()[0];
  if (sizes.groups < 1 || sizes.small % sizes.groups != 0) {
    throw node.error(
        fmt::format("has {} groups, expected a divisor of its weights' first extent, {}", sizes.groups, sizes.small));
  }
  checked_size(node, spatial);
  checked_size(node, kernel);
  return sizes;
}

/// Bounds the sides' sizes and the work.
void check_sizes(const OnnxNode& node, const Convolution& sizes, const OnnxTensor& weights) {
  const Extents small = sizes.small_dims(), large = sizes.large_dims();
  checked_size(node, {small.begin() + 2, small.end()});
  checked_size(node, {large.begin() + 2, large.end()});
  checked_size(node, large);
  check_work(node, checked_size(node, small), sizes.small > 0 ? weights.size() / sizes.small : 0);
}

/// One axis of a transposed convolution's `count` values; `given`: the extent that it makes, 0: what follows.
WindowAxis transposed_axis(WindowAxis axis, std::int64_t count, std::int64_t more, std::int64_t given, bool same,
                           bool odd_at_end) {
  axis.output = count;
  const std::int64_t all = axis.stride * (count - 1) + more + axis.span();
  if (given == 0 && !same) {
    axis.input = all - axis.pad - axis.end_pad;
    return axis;
  }
  axis.input = given != 0 ? given : count * axis.stride;
  const std::int64_t total = std::max<std::int64_t>(0, all - axis.input);
  axis.pad = odd_at_end ? total / 2 : total - total / 2;
  axis.end_pad = total - axis.pad;
  return axis;
}

}  // namespace

Extents Convolution::large_dims() const {
  Extents dims{batch, large};
  for (const WindowAxis& axis : axes) dims.push_back(axis.input);
  return dims;
}

Convolution convolution_of(const OnnxNode& node, const OnnxTensor& input, const OnnxTensor& weights) {
  Convolution sizes = sizes_of(node, input, weights);
  sizes.large = input.dims()[1];
  if (sizes.large % sizes.groups != 0 || sizes.large / sizes.groups != weights.dims()[1]) {
    throw node.error(fmt::format("input 0 is {}, its weights {}, in {} groups: expected {} channels per group",
                                 extents_text(input.dims()), extents_text(weights.dims()), sizes.groups,
                                 weights.dims()[1]));
  }
  sizes.axes = window_axes(node, spatial_extents(node, input), spatial_extents(node, weights));
  check_sizes(node, sizes, weights);
  return sizes;
}

Convolution transposed_convolution_of(const OnnxNode& node, const OnnxTensor& input, const OnnxTensor& weights) {
  Convolution sizes = sizes_of(node, input, weights);
  if (input.dims()[1] != sizes.small) {
    throw node.error(fmt::format("input 0 is {}, its weights {}: expected {} channels", extents_text(input.dims()),
                                 extents_text(weights.dims()), sizes.small));
  }
  if (weights.dims()[1] > most_values || sizes.groups > most_values) {
    throw node.error(fmt::format("its weights are {} in {} groups, expected at most {} channels",
                                 extents_text(weights.dims()), sizes.groups, most_values));
  }
  sizes.large = weights.dims()[1] * sizes.groups;
  const Extents spatial = spatial_extents(node, input);
  const std::size_t rank = spatial.size();
  const Extents strides = window_integers(node, "strides", rank, 1, 1);
  const Extents dilations = window_integers(node, "dilations", rank, 1, 1);
  const Extents pads = window_integers(node, "pads", 2 * rank, 0, 0);
  const Extents more = window_integers(node, "output_padding", rank, 0, 0);
  const Extents given = window_integers(node, "output_shape", rank, node.has("output_shape") ? 1 : 0, 0);
  const AutoPad automatic = auto_pad(node);
  const bool same = automatic == AutoPad::same_upper || automatic == AutoPad::same_lower;
  for (std::size_t k = 0; k < rank; ++k) {
    WindowAxis axis;
    axis.kernel = weights.dims()[k + 2], axis.stride = strides[k], axis.dilation = dilations[k];
    if (automatic == AutoPad::none) axis.pad = pads[k], axis.end_pad = pads[rank + k];
    axis = transposed_axis(axis, spatial[k], more[k], given[k], same, automatic == AutoPad::same_upper);
    if (axis.input < 1) {
      throw node.error(
          fmt::format("makes {} values of {} along axis {}, expected at least one", axis.input, spatial[k], k + 2));
    }
    sizes.axes.push_back(axis);
  }
  check_sizes(node, sizes, weights);
  return sizes;
}

std::vector<double> convolve(const Convolution& sizes, const std::vector<double>& input,
                             const std::vector<double>& weights) {
  const Extents dims = sizes.small_dims();
  std::vector<double> output(static_cast<std::size_t>(element_count(dims)), 0.0);
  const std::int64_t small_plane = plane_size(dims), large_plane = plane_size(sizes.large_dims());
  const std::int64_t stride = sizes.axes.back().stride;
  for_each_meeting(sizes, weights, [&](std::int64_t small, std::int64_t large, double weight, const auto& runs) {
    for (const Run& run : runs) {
      double* const to = output.data() + small * small_plane + run.small;
      const double* const from = input.data() + large * large_plane + run.large;
      for (std::int64_t k = 0; k < run.count; ++k) to[k] += weight * from[k * stride];
    }
  });
  return output;
}

std::vector<double> convolve_back(const Convolution& sizes, const std::vector<double>& input,
                                  const std::vector<double>& weights) {
  const Extents dims = sizes.large_dims();
  std::vector<double> output(static_cast<std::size_t>(element_count(dims)), 0.0);
  const std::int64_t small_plane = plane_size(sizes.small_dims()), large_plane = plane_size(dims);
  const std::int64_t stride = sizes.axes.back().stride;
  for_each_meeting(sizes, weights, [&](std::int64_t small, std::int64_t large, double weight, const auto& runs) {
    for (const Run& run : runs) {
      const double* const from = input.data() + small * small_plane + run.small;
      double* const to = output.data() + large * large_plane + run.large;
      for (std::int64_t k = 0; k < run.count; ++k) to[k * stride] += weight * from[k];
    }
  });
  return output;
}

}  // namespace crossgrid
