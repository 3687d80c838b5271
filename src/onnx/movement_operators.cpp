#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "broadcasting.hpp"
#include "crossgrid/onnx/onnx_operators.hpp"
#include "index_sources.hpp"
#include "operator_checks.hpp"

namespace crossgrid {
namespace {

using Outputs = std::vector<OnnxTensor>;

/// Tensors one behind the other along an axis, in the shape `dims`.
OnnxTensor concatenated(const OnnxNode& node, const std::vector<const OnnxTensor*>& tensors, std::size_t axis,
                        const Extents& dims) {
  const AxisView whole = view_at(dims, axis);
  Sources sources;
  sources.reserve(static_cast<std::size_t>(element_count(dims)));
  for (std::int64_t outer = 0; outer < whole.outer; ++outer) {
    std::int64_t start = 0;
    for (const OnnxTensor* const tensor : tensors) {
      const std::int64_t block = tensor->dims()[axis] * whole.inner;
      for (std::int64_t k = 0; k < block; ++k) sources.push_back(start + outer * block + k);
      start += tensor->size();
    }
  }
  return joined(node, tensors).picked(dims, sources);
}

Outputs concat(const OnnxNode& node, OnnxInputs inputs) {
  std::vector<const OnnxTensor*> tensors;
  for (std::size_t k = 0; k < std::max<std::size_t>(inputs.size(), 1); ++k) {
    tensors.push_back(&needed_input(node, inputs, k));
  }
  if (!node.has("axis")) throw node.error("has no attribute axis");
  Extents dims = tensors.front()->dims();
  const std::size_t axis = checked_axis(node, node.integer("axis", 0), dims.size());
  std::int64_t places = 0;
  for (const OnnxTensor* const tensor : tensors) {
    Extents expected = dims;
    if (tensor->rank() > static_cast<int>(axis)) expected[axis] = tensor->dims()[axis];
    if (tensor->dims() != expected) {
      throw node.error(fmt::format("joins {} and {} along axis {}, expected equal extents along all others",
                                   extents_text(dims), extents_text(tensor->dims()), axis));
    }
    places += expected[axis];
  }
  dims[axis] = places;
  checked_size(node, dims);
  return {concatenated(node, tensors, axis, dims)};
}

/// The part of a tensor from `start` on along an axis.
OnnxTensor part(const OnnxTensor& input, std::size_t axis, std::int64_t start, std::int64_t extent) {
  const AxisView view = view_at(input.dims(), axis);
  Sources along = counted(extent);
  for (std::int64_t& place : along) place += start;
  Extents dims = input.dims();
  dims[axis] = extent;
  return input.picked(std::move(dims),
                      grid_sources(view.dims(), std::vector{counted(view.outer), along, counted(view.inner)}));
}

Outputs split(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = needed_input(node, inputs, 0);
  const std::size_t axis = checked_axis(node, node.integer("axis", 0), input.dims().size());
  const std::int64_t extent = input.dims()[axis];
  const auto parts = static_cast<std::int64_t>(node.outputs.size());
  std::vector<std::int64_t> sizes = integers_of(node, inputs, 1, "split").value_or(std::vector<std::int64_t>());
  if (sizes.empty()) {
    // Where the number of parts is said, from opset 18 on, the last may be smaller.
    const bool uneven = node.has("num_outputs");
    if (parts == 0 || (extent % parts != 0 && !uneven)) {
      throw node.error(fmt::format("splits {} places into {} equal parts, which do not exist", extent, parts));
    }
    sizes.assign(node.outputs.size(), (extent + parts - 1) / parts);
    sizes.back() = extent - (parts - 1) * sizes.front();
  }
  std::int64_t left = extent;
  for (const std::int64_t size : sizes) left = size < 0 || size > left ? -1 : left - size;
  if (left != 0 || sizes.size() != node.outputs.size()) {
    throw node.error(fmt::format("splits {} places into [{}], expected {} sizes that add up to them", extent,
                                 fmt::join(sizes, ", "), parts));
  }
  Outputs outputs;
  std::int64_t start = 0;
  for (const std::int64_t size : sizes) {
    outputs.push_back(part(input, axis, start, size));
    start += size;
  }
  return outputs;
}

/// The places of a slice along an axis of `extent`; what lies outside is cut off.
Sources slice_places(std::int64_t extent, std::int64_t start, std::int64_t end, std::int64_t step) {
  if (extent == 0) return {};
  const auto place = [&](std::int64_t k, std::int64_t least) {
    return std::clamp(k < 0 ? k + extent : k, least, step > 0 ? extent : extent - 1);
  };
  const std::int64_t first = place(start, 0), span = place(end, step > 0 ? 0 : -1) - first;
  if (span == 0 || (span > 0) != (step > 0)) return {};
  Sources places = counted(span / step + (span % step != 0 ? 1 : 0));
  for (std::int64_t& k : places) k = first + k * step;
  return places;
}

Outputs slice(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = needed_input(node, inputs, 0);
  const auto starts = integers_of(node, inputs, 1, "starts"), ends = integers_of(node, inputs, 2, "ends");
  if (!starts || !ends) throw node.error("has no starts or no ends");
  const auto axes = integers_of(node, inputs, 3, "axes").value_or(counted(static_cast<std::int64_t>(starts->size())));
  const auto steps = integers_of(node, inputs, 4, "steps").value_or(Sources(starts->size(), 1));
  if (ends->size() != starts->size() || axes.size() != starts->size() || steps.size() != starts->size()) {
    throw node.error(fmt::format("has {} starts, {} ends, {} axes and {} steps, expected as many of each",
                                 starts->size(), ends->size(), axes.size(), steps.size()));
  }
  std::vector<Sources> along;
  for (const std::int64_t extent : input.dims()) along.push_back(counted(extent));
  const std::vector<std::size_t> cut = checked_axes(node, axes, input.dims().size());
  for (std::size_t k = 0; k < cut.size(); ++k) {
    if (steps[k] == 0) throw node.error(fmt::format("has step 0 along axis {}", cut[k]));
    along[cut[k]] = slice_places(input.dims()[cut[k]], (*starts)[k], (*ends)[k], steps[k]);
  }
  Extents dims;
  for (const Sources& places : along) dims.push_back(static_cast<std::int64_t>(places.size()));
  return {input.picked(dims, grid_sources(input.dims(), along))};
}

Outputs transpose(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = needed_input(node, inputs, 0);
  Sources reversed = counted(input.rank());
  std::ranges::reverse(reversed);
  const auto order = checked_axes(node, node.integers("perm", reversed), input.dims().size());
  if (order.size() != input.dims().size()) {
    throw node.error(fmt::format("perm has {} axes, expected {}", order.size(), input.rank()));
  }
  return {transposed(input, order)};
}

/// Where along an axis of `extent` the places from -before on come from; -1: nowhere.
Sources padded_places(const OnnxNode& node, const std::string& mode, std::int64_t extent, std::int64_t before,
                      std::int64_t count) {
  Sources places = counted(count);
  for (std::int64_t& place : places) {
    place -= before;
    if (mode == "edge") place = std::clamp<std::int64_t>(place, 0, std::max<std::int64_t>(extent - 1, 0));
    if (mode == "reflect") place = place < 0 ? -place : std::min(place, 2 * (extent - 1) - place);
    if (mode == "wrap" && extent > 0) place = (place % extent + extent) % extent;
    const bool inside = place >= 0 && place < extent;
    if (!inside && mode != "constant") {
      throw node.error(fmt::format("{} pads an axis of {} to {}, {} before it: there is no more to repeat", mode,
                                   extent, count, before));
    }
    if (!inside) place = -1;
  }
  return places;
}

Outputs pad(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = needed_input(node, inputs, 0);
  const auto rank = input.dims().size();
  auto pads = integers_of(node, inputs, 1, "pads");
  if (!pads) pads = node.integers("paddings", {});
  const std::string mode = node.text("mode", "constant");
  if (mode != "constant" && mode != "reflect" && mode != "edge" && mode != "wrap") {
    throw node.error(fmt::format("has mode '{}', expected constant, reflect, edge or wrap", mode));
  }
  const auto named = integers_of(node, inputs, 3, "axes");  // from opset 18 on
  const std::vector<std::size_t> axes =
      checked_axes(node, named ? *named : counted(static_cast<std::int64_t>(rank)), rank);
  if (pads->size() != 2 * axes.size()) {
    throw node.error(fmt::format("has {} pads, expected {}: before and behind each of {} axes", pads->size(),
                                 2 * axes.size(), axes.size()));
  }
  Extents dims = input.dims(), before(rank, 0);
  for (std::size_t k = 0; k < axes.size(); ++k) {
    for (const std::int64_t width : {(*pads)[k], (*pads)[axes.size() + k]}) {
      if (width < -most_values || width > most_values) {
        throw node.error(fmt::format("pads by {}, expected {} at most", width, most_values));
      }
      dims[axes[k]] += width;
    }
    before[axes[k]] = (*pads)[k];
  }
  checked_size(node, dims);
  std::vector<Sources> along;
  for (std::size_t k = 0; k < rank; ++k) {
    along.push_back(padded_places(node, mode, input.dims()[k], before[k], dims[k]));
  }
  Sources sources = grid_sources(input.dims(), along);
  const OnnxTensor* const value = mode == "constant" ? optional_input(inputs, 2) : nullptr;
  if (!value) return {input.picked(dims, sources, node.number("value", 0))};
  if (value->size() != 1) {
    throw node.error(fmt::format("constant_value is {}, expected one value", extents_text(value->dims())));
  }
  std::ranges::replace(sources, -1, input.size());
  return {joined(node, std::vector{&input, value}).picked(dims, sources)};
}

Outputs expand(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = needed_input(node, inputs, 0);
  const Extents shape = integer_list(node, inputs, 1);
  checked_size(node, shape);
  return {broadcast_to(input, broadcast_dims(node, input.dims(), shape))};
}

Outputs tile(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = needed_input(node, inputs, 0);
  const std::vector<std::int64_t> repeats = integer_list(node, inputs, 1);
  if (repeats.size() != input.dims().size()) {
    throw node.error(
        fmt::format("has {} repeats for {}, expected one per axis", repeats.size(), extents_text(input.dims())));
  }
  Extents dims;
  for (std::size_t k = 0; k < repeats.size(); ++k) {
    dims.push_back(checked_size(node, {input.dims()[k], repeats[k]}));
  }
  checked_size(node, dims);
  std::vector<Sources> along;
  for (std::size_t k = 0; k < dims.size(); ++k) {
    along.push_back(counted(dims[k]));
    for (std::int64_t& place : along.back()) place %= input.dims()[k];
  }
  return {input.picked(dims, grid_sources(input.dims(), along))};
}

}  // namespace

void add_movement_operators(OnnxOperators& operators) {
  operators["Concat"] = concat;
  operators["Expand"] = expand;
  operators["Pad"] = pad;
  operators["Slice"] = slice;
  operators["Split"] = split;
  operators["Tile"] = tile;
  operators["Transpose"] = transpose;
}

}  // namespace crossgrid
