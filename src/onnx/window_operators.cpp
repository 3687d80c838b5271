#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "index_sources.hpp"
#include "positions.hpp"
#include "window_axes.hpp"

/// Pools; convolution_operators.cpp has the convolutions.
namespace crossgrid {
namespace {

std::size_t place(std::int64_t k) {
  return static_cast<std::size_t>(k);
}

/// A pool's input, axes and outputs.
struct Pool {
  WindowAxes axes;
  Extents dims;              ///< of the output
  std::int64_t planes = 0;   ///< batch x channels
  std::int64_t inputs = 0;   ///< per plane
  std::int64_t windows = 0;  ///< per plane
};

/// Error where a window sees nothing but padding.
void check_windows(const OnnxNode& node, const WindowAxes& axes) {
  for (const WindowAxis& axis : axes) {
    for (std::int64_t at = 0; at < axis.output; ++at) {
      if (const auto [first, behind] = axis.taps(at); first < behind) continue;
      throw node.error(fmt::format("has a window that sees only padding: it spans {}, the pads are {} and {}",
                                   axis.span(), axis.pad, axis.end_pad));
    }
  }
}

Pool pool_of(const OnnxNode& node, const OnnxTensor& input) {
  Pool pool;
  const Extents spatial = spatial_extents(node, input);
  pool.axes = window_axes(node, spatial, window_integers(node, "kernel_shape", spatial.size(), 1, 0));
  pool.dims = window_outputs(input.dims()[0], input.dims()[1], pool.axes);
  pool.planes = checked_size(node, {input.dims()[0], input.dims()[1]});
  pool.inputs = checked_size(node, spatial);
  pool.windows = checked_size(node, {pool.dims.begin() + 2, pool.dims.end()});
  std::int64_t seen = 1;
  for (const WindowAxis& axis : pool.axes) seen *= std::min(axis.kernel, axis.input);
  check_work(node, std::max(checked_size(node, pool.dims), pool.windows), seen);
  check_windows(node, pool.axes);
  return pool;
}

/// Calls visit(window, position, places): for each window of a plane, which inputs of the plane it sees.
template <class Visit>
void for_each_window(const WindowAxes& axes, Visit&& visit) {
  Extents outputs, at(axes.size(), 0);
  for (const WindowAxis& axis : axes) outputs.push_back(axis.output);
  std::vector<std::int64_t> places, wider;
  std::int64_t window = 0;
  do {
    places.assign(1, 0);
    for (std::size_t k = 0; k < axes.size(); ++k) {
      const auto [first, behind] = axes[k].taps(at[k]);
      wider.clear();
      for (const std::int64_t from : places) {
        for (std::int64_t tap = first; tap < behind; ++tap) {
          wider.push_back(from * axes[k].input + axes[k].start(at[k]) + tap * axes[k].dilation);
        }
      }
      places.swap(wider);
    }
    visit(window++, at, places);
  } while (advance(at, outputs));
}

/// A place in a plane, first axis fastest (storage_order 1).
std::int64_t column_major(std::int64_t from, const WindowAxes& axes) {
  std::int64_t step = 1, result = 0;
  for (const WindowAxis& axis : axes) step *= axis.input;
  for (std::size_t k = axes.size(); k-- > 0;) {
    step /= axes[k].input;
    result += from % axes[k].input * step;
    from /= axes[k].input;
  }
  return result;
}

std::vector<OnnxTensor> max_pool(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = needed_input(node, inputs, 0);
  const Pool pool = pool_of(node, input);
  const std::vector<double> values = input.as_reals();
  const bool by_column = node.integer("storage_order", 0) != 0;
  std::vector<std::int64_t> sources(place(pool.planes * pool.windows)), indices(sources.size());
  for_each_window(pool.axes, [&](std::int64_t window, const Extents&, const std::vector<std::int64_t>& places) {
    for (std::int64_t plane = 0; plane < pool.planes; ++plane) {
      const double* const from = values.data() + plane * pool.inputs;
      std::int64_t best = places.front();
      for (const std::int64_t at : places) {
        if (from[at] > from[best] || std::isnan(from[at])) best = at;
      }
      const std::size_t output = place(plane * pool.windows + window);
      sources[output] = plane * pool.inputs + best;
      indices[output] = plane * pool.inputs + (by_column ? column_major(best, pool.axes) : best);
    }
  });
  return {input.picked(pool.dims, sources), OnnxTensor::of_integers(ElementType::int64, pool.dims, std::move(indices))};
}

/// Folds each window's values to one; `divisor`: the positions that an average is over.
using Fold = std::function<double(const double* plane, const std::vector<std::int64_t>& places, double divisor)>;

std::vector<OnnxTensor> fold_pool(const OnnxNode& node, OnnxInputs inputs, const Fold& fold) {
  const OnnxTensor& input = real_input(node, inputs, 0);
  const Pool pool = pool_of(node, input);
  const std::vector<double> values = input.as_reals();
  const bool pads_count = node.integer("count_include_pad", 0) != 0;
  std::vector<double> results(place(pool.planes * pool.windows));
  for_each_window(pool.axes, [&](std::int64_t window, const Extents& at, const std::vector<std::int64_t>& places) {
    double divisor = 1;
    for (std::size_t k = 0; k < at.size(); ++k) {
      const WindowAxis& axis = pool.axes[k];
      const auto [first, behind] = axis.taps(at[k], -axis.pad, axis.input + axis.end_pad);
      divisor *= static_cast<double>(behind - first);
    }
    if (!pads_count) divisor = static_cast<double>(places.size());
    for (std::int64_t plane = 0; plane < pool.planes; ++plane) {
      results[place(plane * pool.windows + window)] = fold(values.data() + plane * pool.inputs, places, divisor);
    }
  });
  return {OnnxTensor::of_reals(input.type(), pool.dims, std::move(results))};
}

double average(const double* plane, const std::vector<std::int64_t>& places, double divisor) {
  double sum = 0;
  for (const std::int64_t at : places) sum += plane[at];
  return sum / divisor;
}

double maximum(const double* plane, const std::vector<std::int64_t>& places, double) {
  double best = plane[places.front()];
  for (const std::int64_t at : places) {
    if (plane[at] > best || std::isnan(plane[at])) best = plane[at];
  }
  return best;
}

Fold norm(const OnnxNode& node) {
  const std::int64_t power = node.integer("p", 2);
  if (power < 1) throw node.error(fmt::format("has p {}, expected 1 or more", power));
  return [p = static_cast<double>(power)](const double* plane, const std::vector<std::int64_t>& places, double) {
    double sum = 0;
    for (const std::int64_t at : places) sum += std::pow(std::abs(plane[at]), p);
    return std::pow(sum, 1 / p);
  };
}

std::vector<OnnxTensor> average_pool(const OnnxNode& node, OnnxInputs inputs) {
  return fold_pool(node, inputs, average);
}

std::vector<OnnxTensor> lp_pool(const OnnxNode& node, OnnxInputs inputs) {
  return fold_pool(node, inputs, norm(node));
}

/// One window that is the whole plane.
std::vector<OnnxTensor> fold_planes(const OnnxNode& node, OnnxInputs inputs, const Fold& fold) {
  const OnnxTensor& input = real_input(node, inputs, 0);
  const std::int64_t plane = checked_size(node, spatial_extents(node, input));
  if (plane == 0) throw node.error(fmt::format("input 0 is {}, expected values to pool", extents_text(input.dims())));
  std::vector<std::int64_t> places(place(plane));
  for (std::int64_t k = 0; k < plane; ++k) places[place(k)] = k;
  const std::vector<double> values = input.as_reals();
  std::vector<double> results;
  for (std::size_t from = 0; from < values.size(); from += places.size()) {
    results.push_back(fold(values.data() + from, places, static_cast<double>(plane)));
  }
  Extents dims(place(input.rank()), 1);
  dims[0] = input.dims()[0], dims[1] = input.dims()[1];
  return {OnnxTensor::of_reals(input.type(), std::move(dims), std::move(results))};
}

std::vector<OnnxTensor> global_average_pool(const OnnxNode& node, OnnxInputs inputs) {
  return fold_planes(node, inputs, average);
}
std::vector<OnnxTensor> global_max_pool(const OnnxNode& node, OnnxInputs inputs) {
  return fold_planes(node, inputs, maximum);
}
std::vector<OnnxTensor> global_lp_pool(const OnnxNode& node, OnnxInputs inputs) {
  return fold_planes(node, inputs, norm(node));
}

/// What MaxPool, with this node's attributes, would have had as input.
Extents unpooled_dims(const OnnxNode& node, const OnnxTensor& input) {
  const Extents spatial = spatial_extents(node, input);
  const Extents kernel = window_integers(node, "kernel_shape", spatial.size(), 1, 0);
  const Extents strides = window_integers(node, "strides", spatial.size(), 1, 1);
  const Extents pads = window_integers(node, "pads", 2 * spatial.size(), 0, 0);
  checked_size(node, input.dims());
  Extents dims{input.dims()[0], input.dims()[1]};
  for (std::size_t k = 0; k < spatial.size(); ++k) {
    dims.push_back((spatial[k] - 1) * strides[k] + kernel[k] - pads[k] - pads[spatial.size() + k]);
  }
  return dims;
}

/// The values go to where the indices say within the pooled input, which may be a corner of a larger output.
std::vector<OnnxTensor> max_unpool(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = needed_input(node, inputs, 0);
  const OnnxTensor& indices = integer_input(node, inputs, 1);
  check_dims(node, indices, input.dims(), "input 1 (indices)");
  const Extents pooled = unpooled_dims(node, input);
  const std::int64_t count = checked_size(node, pooled);
  Extents dims = pooled;
  if (const OnnxTensor* const given = optional_input(inputs, 2)) dims = given->as_integers();
  std::vector<std::int64_t> sources(place(checked_size(node, dims)), -1);
  bool larger = dims.size() == pooled.size();
  for (std::size_t k = 0; larger && k < dims.size(); ++k) larger = dims[k] >= pooled[k];
  if (!larger) {
    throw node.error(fmt::format("output_shape is {}, expected {} or more", extents_text(dims), extents_text(pooled)));
  }
  const Extents steps = strides_of(dims);
  const std::vector<std::int64_t> targets = indices.as_integers();
  for (std::size_t k = 0; k < targets.size(); ++k) {
    if (targets[k] < 0 || targets[k] >= count) {
      throw node.error(fmt::format("index {} is {}, expected 0 to {}", k, targets[k], count - 1));
    }
    std::int64_t rest = targets[k], target = 0;
    for (std::size_t axis = pooled.size(); axis-- > 0; rest /= pooled[axis])
      target += rest % pooled[axis] * steps[axis];
    sources[place(target)] = static_cast<std::int64_t>(k);
  }
  return {input.picked(std::move(dims), sources)};
}

}  // namespace

void add_window_operators(OnnxOperators& operators) {
  operators["AveragePool"] = average_pool;
  operators["GlobalAveragePool"] = global_average_pool;
  operators["GlobalLpPool"] = global_lp_pool;
  operators["GlobalMaxPool"] = global_max_pool;
  operators["LpPool"] = lp_pool;
  operators["MaxPool"] = max_pool;
  operators["MaxUnpool"] = max_unpool;
}

}  // namespace crossgrid
