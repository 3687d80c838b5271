#include "onnx_layers.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "crossgrid/onnx/onnx_operators.hpp"

namespace crossgrid {
namespace {

using Value = OnnxLayerValue;

/// Operators that only move values, and how many of their first inputs are what they move (0: all).
const std::map<std::string, std::size_t>& movements() {
  static const std::map<std::string, std::size_t> table{
      {"Concat", 0},         {"DepthToSpace", 1}, {"Expand", 1}, {"Flatten", 1}, {"Gather", 1},
      {"GatherElements", 1}, {"GatherND", 1},     {"Pad", 1},    {"Reshape", 1}, {"ReverseSequence", 1},
      {"Slice", 1},          {"SpaceToDepth", 1}, {"Split", 1},  {"Squeeze", 1}, {"Tile", 1},
      {"Transpose", 1},      {"Unsqueeze", 1}};
  return table;
}

/// Padding becomes the place -1; what it stands for is returned.
float use_fill_number(const OnnxLowering& graph, OnnxNode& node) {
  if (node.op != "Pad") return 0;
  if (node.opset < 11) {
    const auto value = static_cast<float>(node.number("value", 0));
    node.attributes["value"] = -1.0f;
    return value;
  }
  const OnnxTensor* const given = graph.constant(node, 2);
  if (node.inputs.size() < 3) node.inputs.resize(3);
  node.inputs[2] = "fill";
  return given != nullptr && given->size() == 1 ? static_cast<float>(given->as_reals().front()) : 0.0f;
}

void name_moved(OnnxLowering& graph, const OnnxNode& node, std::size_t output, const OnnxTensor& places,
                const std::vector<Value>& from, const std::vector<std::int64_t>& sizes, float fill) {
  const Value& first = from.front();
  const Extents& dims = places.dims();
  std::vector<int> order = row_major_order(places.rank());
  if (places.rank() == first.rank() && first.order == channels_last_order(first.rank())) order = first.order;
  const std::vector<std::int64_t> elements = elements_in_memory(dims, order), found = places.as_integers();
  std::vector<std::int64_t> sources;
  sources.reserve(elements.size());
  for (const std::int64_t element : elements) sources.push_back(found[static_cast<std::size_t>(element)]);
  std::int64_t place = 0;
  const bool same = from.size() == 1 && static_cast<std::int64_t>(sources.size()) == sizes.front() &&
                    std::ranges::all_of(sources, [&](std::int64_t source) { return source == place++; });
  if (same) return graph.name_view(node, first, output, dims, order);
  const Shape view = memory_shape(first.dims, first.order);
  Operation copies = copies_of(sources, sizes, fill, view, memory_shape(dims, order));
  graph.name_output(node, output, graph.append(node, std::move(copies), from, view, dims, order));
}

/// Where each value comes from is found by moving the places themselves.
void move(OnnxLowering& graph, const OnnxNode& node) {
  const std::size_t moved = movements().at(node.op) == 0 ? node.inputs.size() : movements().at(node.op);
  for (std::size_t k = 0; k < node.inputs.size(); ++k) {
    if (node.inputs[k].empty()) continue;
    const bool is_constant = graph.constant(node, k) != nullptr;
    if (is_constant && k < moved) return add_general_layer(graph, node);
    if (!is_constant && k >= moved) {
      throw node.error(fmt::format("input '{}' depends on the image, expected a constant", node.inputs[k]));
    }
  }
  OnnxNode numbered = node;
  const float fill = use_fill_number(graph, numbered);
  std::vector<Value> from;
  std::vector<OnnxTensor> tensors;
  tensors.reserve(node.inputs.size());
  std::vector<std::int64_t> sizes;
  std::int64_t first = 0;
  std::vector<const OnnxTensor*> inputs;
  const OnnxTensor minus_one = OnnxTensor::of_integers(ElementType::int64, {}, {-1});
  for (std::size_t k = 0; k < node.inputs.size(); ++k) {
    if (k >= moved || node.inputs[k].empty()) {
      inputs.push_back(node.op == "Pad" && k == 2 ? &minus_one : graph.constant(node, k));
      continue;
    }
    from.push_back(graph.value(node, k));
    std::vector<std::int64_t> places = memory_places(from.back().dims, from.back().order);
    for (std::int64_t& place : places) place += first;
    sizes.push_back(static_cast<std::int64_t>(places.size()));
    first += sizes.back();
    if (first > largest_activation) throw node.error(fmt::format("moves more than {} values", largest_activation));
    tensors.push_back(OnnxTensor::of_integers(ElementType::int64, from.back().dims, std::move(places)));
    inputs.push_back(&tensors.back());
  }
  if (node.op == "Pad" && node.opset >= 11 && inputs.size() == 2) inputs.push_back(&minus_one);
  const std::vector<OnnxTensor> made = evaluate(numbered, inputs);
  for (std::size_t k = 0; k < made.size(); ++k) {
    if (graph.used(node, k)) name_moved(graph, node, k, made[k], from, sizes, fill);
  }
}

void add_transpose(OnnxLowering& graph, const OnnxNode& node) {
  const Value& from = graph.value(node, 0);
  std::vector<std::int64_t> reversed;
  for (int d = from.rank(); d-- > 0;) reversed.push_back(d);
  const std::vector<std::int64_t> perm = node.integers("perm", reversed);
  std::vector<int> place(static_cast<std::size_t>(from.rank()), -1);
  if (perm.size() != place.size()) throw node.error("perm has not one entry for each dimension of its input");
  Extents dims;
  for (std::size_t k = 0; k < perm.size(); ++k) {
    if (perm[k] < 0 || perm[k] >= from.rank() || place[static_cast<std::size_t>(perm[k])] >= 0) {
      throw node.error(fmt::format("perm [{}] is no permutation", fmt::join(perm, ", ")));
    }
    place[static_cast<std::size_t>(perm[k])] = static_cast<int>(k);
    dims.push_back(from.dims[static_cast<std::size_t>(perm[k])]);
  }
  std::vector<int> order;
  for (const int d : from.order) order.push_back(place[static_cast<std::size_t>(d)]);
  graph.name_view(node, from, 0, std::move(dims), std::move(order));
}

void pass(OnnxLowering& graph, const OnnxNode& node) {
  const Value from = graph.value(node, 0);
  graph.name_view(node, from, 0, from.dims, from.order);
}

/// What is exported as if in training drops nothing at a ratio of 0 (as torchvision's Swin is).
bool drops(OnnxLowering& graph, const OnnxNode& node) {
  const auto is_zero = [&](std::size_t k) {
    const OnnxTensor* const given = graph.constant(node, k);
    return given != nullptr && given->size() > 0 && given->as_reals().front() == 0;
  };
  return node.has_input(2) && !is_zero(2) && !is_zero(1);
}

void add_dropout(OnnxLowering& graph, const OnnxNode& node) {
  if (graph.used(node, 1) || drops(graph, node)) {
    throw node.error("drops values or hands out which, as in training: export the model for inference");
  }
  pass(graph, node);
}

}  // namespace

void add_movement_layers(OnnxLayerMakers& makers) {
  for (const auto& [op, moved] : movements()) makers[op] = move;
  makers["Transpose"] = add_transpose;
  makers["Dropout"] = add_dropout;
  makers["Identity"] = pass;
}

}  // namespace crossgrid
