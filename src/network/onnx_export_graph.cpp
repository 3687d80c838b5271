#include "onnx_export_graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "onnx_value.hpp"

namespace crossgrid {
namespace {

constexpr std::int64_t newest_opset = 17;

Extents dims_of(const Shape& shape) {
  return {1, shape.channels, shape.height, shape.width};
}

bool one_order(const Shape& shape) {
  return shape.channels == 1 || shape.height * shape.width == 1;
}

}  // namespace

Shape ExportedValue::shape() const {
  return {static_cast<int>(dims[1]), static_cast<int>(dims[2]), static_cast<int>(dims[3])};
}

OnnxExportGraph::OnnxExportGraph(const Network& network) : network_(network) {
  model_.name = network.name;
  model_.opset = newest_opset;
  bool open = true;
  for (const Layer& layer : network.layers) {
    node_names_.insert(layer.name);
    open = open && !std::holds_alternative<Recurrent>(layer.operation);
    const auto* const operation = std::get_if<TensorOperation>(&layer.operation);
    if (operation == nullptr) continue;
    model_.opset = operation->node->opset;
    open = open && operation->elementwise;
  }
  const Shape& input = network.input;
  const bool image = input.height * input.width > 1;
  const Extents dims = image ? dims_of(input) : Extents{1, input.channels};
  values_.push_back({unique(value_names_, "image"), dims, image});
  model_.inputs = {{values_.back().name, ElementType::float32, dims}};
  model_.outputs = {
      {unique(value_names_,
              std::holds_alternative<Softmax>(network.layers.back().operation) ? "probabilities" : "logits"),
       ElementType::float32, Extents{1, network.classes}}};
  if (open) model_.inputs.front().dims->front() = model_.outputs.front().dims->front() = -1;
}

std::string OnnxExportGraph::unique(std::set<std::string>& names, std::string name) {
  const std::string plain = name;
  for (int number = 1; !names.insert(name).second; ++number) name = fmt::format("{}_{}", plain, number);
  return name;
}

std::string OnnxExportGraph::add_node(OnnxNode node, std::size_t output) {
  node.opset = model_.opset;
  for (std::size_t k = 0; k < node.outputs.size(); ++k) {
    if (k == output || !node.outputs[k].empty()) {
      node.outputs[k] = unique(value_names_, fmt::format("{}_output_{}", node.name, k));
    }
  }
  model_.nodes.push_back(std::move(node));
  return model_.nodes.back().outputs[output];
}

std::string OnnxExportGraph::add_main(const Layer& layer, OnnxNode node, std::size_t output) {
  node.name = layer.name;
  return add_node(std::move(node), output);
}

std::string OnnxExportGraph::add_main(const Layer& layer, const std::string& op, std::vector<std::string> inputs,
                                      Attributes attributes) {
  OnnxNode node;
  node.op = op, node.inputs = std::move(inputs), node.attributes = std::move(attributes), node.outputs = {""};
  return add_main(layer, std::move(node), 0);
}

std::string OnnxExportGraph::add_helper(const Layer& layer, const std::string& op, std::vector<std::string> inputs,
                                        Attributes attributes) {
  OnnxNode node;
  node.name = unique(node_names_, layer.name + "/" + op);
  node.op = op, node.inputs = std::move(inputs), node.attributes = std::move(attributes), node.outputs = {""};
  return add_node(std::move(node), 0);
}

std::string OnnxExportGraph::add_constant(const Layer& layer, const std::string& kind, OnnxTensor tensor) {
  const std::string name = unique(value_names_, layer.name + "." + kind);
  model_.constants.emplace(name, std::move(tensor));
  return name;
}

std::string OnnxExportGraph::add_integers(const Layer& layer, const std::string& kind,
                                          std::vector<std::int64_t> values) {
  const auto count = static_cast<std::int64_t>(values.size());
  return add_constant(layer, kind, OnnxTensor::of_integers(ElementType::int64, {count}, std::move(values)));
}

std::string OnnxExportGraph::reshaped(const Layer& layer, const std::string& name, const Extents& from,
                                      const Extents& to) {
  if (from == to) return name;
  // 0: as it is, for any batch.
  Extents dims = to;
  if (!from.empty() && !to.empty() && from.front() == to.front()) dims.front() = 0;
  return add_helper(layer, "Reshape", {name, add_integers(layer, "shape", dims)});
}

ExportedValue OnnxExportGraph::as_memory(const Layer& layer, const ExportedValue& value, const Extents& dims) {
  std::string name = value.name;
  Extents from = value.dims;
  if (value.image && !one_order(value.shape())) {
    name = add_helper(layer, "Transpose", {name}, {{"perm", std::vector<std::int64_t>{0, 2, 3, 1}}});
    from = {from[0], from[2], from[3], from[1]};
  }
  return {reshaped(layer, name, from, dims), dims, false};
}

ExportedValue OnnxExportGraph::as_image(const Layer& layer, const ExportedValue& value, const Shape& shape) {
  const Extents dims = dims_of(shape);
  if (value.image && value.shape().channels == shape.channels) {
    return {reshaped(layer, value.name, value.dims, dims), dims, true};
  }
  if (one_order(shape)) return {as_memory(layer, value, dims).name, dims, true};
  const ExportedValue memory = as_memory(layer, value, {1, shape.height, shape.width, shape.channels});
  return {add_helper(layer, "Transpose", {memory.name}, {{"perm", std::vector<std::int64_t>{0, 3, 1, 2}}}), dims, true};
}

OnnxModel OnnxExportGraph::finish() {
  const ExportedValue last = as_memory(network_.layers.back(), values_.back(), {1, network_.classes});
  const std::string& output = model_.outputs.front().name;
  for (OnnxNode& node : model_.nodes) {
    std::ranges::replace(node.inputs, last.name, output);
    std::ranges::replace(node.outputs, last.name, output);
  }
  return std::move(model_);
}

}  // namespace crossgrid
