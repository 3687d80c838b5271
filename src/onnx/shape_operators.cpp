#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "crossgrid/onnx/onnx_operators.hpp"
#include "index_sources.hpp"
#include "operator_checks.hpp"

namespace crossgrid {
namespace {

using Outputs = std::vector<OnnxTensor>;

OnnxTensor in_shape(const OnnxNode& node, const OnnxTensor& input, const Extents& dims) {
  if (checked_size(node, dims) != input.size()) {
    throw node.error(fmt::format("makes {} of {}, which has {} values", extents_text(dims), extents_text(input.dims()),
                                 input.size()));
  }
  return input.reshaped(dims);
}

Outputs reshape(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = needed_input(node, inputs, 0);
  Extents dims = integer_list(node, inputs, 1);
  const bool keep_zeros = node.integer("allowzero", 0) != 0;
  for (std::size_t k = 0; k < dims.size(); ++k) {
    if (dims[k] != 0 || keep_zeros) continue;
    if (k >= input.dims().size()) {
      throw node.error(fmt::format("keeps extent {} of {}, which has none", k, extents_text(input.dims())));
    }
    dims[k] = input.dims()[k];
  }
  if (const auto open = std::ranges::find(dims, -1); open != dims.end()) {
    *open = 1;
    const std::int64_t others = checked_size(node, dims);
    if (others == 0) throw node.error("has an extent of -1 beside one of 0: it could be any");
    *open = input.size() / others;
  }
  return {in_shape(node, input, dims)};
}

Outputs flatten(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = needed_input(node, inputs, 0);
  const std::int64_t axis = node.integer("axis", 1);
  const std::size_t split = axis == input.rank() ? input.dims().size() : checked_axis(node, axis, input.dims().size());
  Extents dims{1, 1};
  for (std::size_t k = 0; k < input.dims().size(); ++k) dims[k < split ? 0 : 1] *= input.dims()[k];
  return {in_shape(node, input, dims)};
}

Outputs squeeze(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = needed_input(node, inputs, 0);
  const auto given = integers_of(node, inputs, 1, "axes");
  const auto axes = checked_axes(node, given.value_or(std::vector<std::int64_t>()), input.dims().size());
  Extents dims;
  for (std::size_t k = 0; k < input.dims().size(); ++k) {
    const std::int64_t extent = input.dims()[k];
    const bool chosen = given ? std::ranges::count(axes, k) > 0 : extent == 1;
    if (chosen && extent != 1) throw node.error(fmt::format("removes axis {}, whose extent is {}, not 1", k, extent));
    if (!chosen) dims.push_back(extent);
  }
  return {input.reshaped(std::move(dims))};
}

Outputs unsqueeze(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = needed_input(node, inputs, 0);
  const auto given = integers_of(node, inputs, 1, "axes");
  if (!given) throw node.error("has no axes");
  const std::size_t rank = input.dims().size() + given->size();
  check_rank(node, rank);
  const auto axes = checked_axes(node, *given, rank);
  Extents dims;
  for (std::size_t k = 0, from = 0; k < rank; ++k) {
    dims.push_back(std::ranges::count(axes, k) > 0 ? 1 : input.dims()[from++]);
  }
  return {input.reshaped(std::move(dims))};
}

/// A square block's side, at most 2^14.
std::int64_t block_of(const OnnxNode& node, const OnnxTensor& input) {
  const std::int64_t side = node.integer("blocksize", 0);
  if (input.rank() != 4) {
    throw node.error(
        fmt::format("input is {}, expected batch x channels x height x width", extents_text(input.dims())));
  }
  if (side < 1 || side > 1 << 14) throw node.error(fmt::format("has blocksize {}, expected 1 to {}", side, 1 << 14));
  return side;
}

Outputs depth_to_space(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = needed_input(node, inputs, 0);
  const std::int64_t side = block_of(node, input);
  const std::int64_t batch = input.dims()[0], depth = input.dims()[1], height = input.dims()[2],
                     width = input.dims()[3];
  const std::string mode = node.text("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") throw node.error(fmt::format("has mode '{}', expected DCR or CRD", mode));
  if (depth % (side * side) != 0) {
    throw node.error(fmt::format("has {} channels, expected a multiple of {}", depth, side * side));
  }
  const std::int64_t channels = depth / (side * side);
  const OnnxTensor blocks = mode == "DCR" ? input.reshaped({batch, side, side, channels, height, width})
                                          : input.reshaped({batch, channels, side, side, height, width});
  const std::vector<std::size_t> order =
      mode == "DCR" ? std::vector<std::size_t>{0, 3, 4, 1, 5, 2} : std::vector<std::size_t>{0, 1, 4, 2, 5, 3};
  return {in_shape(node, transposed(blocks, order), {batch, channels, height * side, width * side})};
}

Outputs space_to_depth(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = needed_input(node, inputs, 0);
  const std::int64_t side = block_of(node, input);
  const std::int64_t batch = input.dims()[0], channels = input.dims()[1], height = input.dims()[2] / side,
                     width = input.dims()[3] / side;
  if (height * side != input.dims()[2] || width * side != input.dims()[3]) {
    throw node.error(fmt::format("input is {}, expected a height and a width that are multiples of {}",
                                 extents_text(input.dims()), side));
  }
  const OnnxTensor blocks = input.reshaped({batch, channels, height, side, width, side});
  const std::vector<std::size_t> order{0, 3, 5, 1, 2, 4};
  return {in_shape(node, transposed(blocks, order), {batch, side * side * channels, height, width})};
}

Outputs shape(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = needed_input(node, inputs, 0);
  const std::int64_t rank = input.rank();
  const auto place = [&](const char* key, std::int64_t otherwise) {
    const std::int64_t k = node.integer(key, otherwise);
    return std::clamp<std::int64_t>(k < 0 ? k + rank : k, 0, rank);
  };
  const std::int64_t start = place("start", 0), end = std::max(start, place("end", rank));
  Extents dims(input.dims().begin() + start, input.dims().begin() + end);
  return {OnnxTensor::of_integers(ElementType::int64, {end - start}, std::move(dims))};
}

Outputs size(const OnnxNode& node, OnnxInputs inputs) {
  return {OnnxTensor::of_integers(ElementType::int64, {}, {needed_input(node, inputs, 0).size()})};
}

}  // namespace

void add_shape_operators(OnnxOperators& operators) {
  operators["DepthToSpace"] = depth_to_space;
  operators["Flatten"] = flatten;
  operators["Reshape"] = reshape;
  operators["Shape"] = shape;
  operators["Size"] = size;
  operators["SpaceToDepth"] = space_to_depth;
  operators["Squeeze"] = squeeze;
  operators["Unsqueeze"] = unsqueeze;
}

}  // namespace crossgrid
