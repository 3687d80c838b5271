#include "crossgrid/network/onnx_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/json.hpp"
#include "crossgrid/onnx/onnx_model_file.hpp"
#include "crossgrid/onnx/onnx_operators.hpp"
#include "onnx_layers.hpp"

namespace crossgrid {
namespace {

/// Operators whose output's shape depends on values.
bool shape_from_values(const std::string& op) {
  static const std::set<std::string> all{"Compress", "ConstantOfShape", "NonZero", "Range", "Unique"};
  return all.contains(op);
}

const OnnxLayerMakers& layer_makers() {
  static const OnnxLayerMakers makers = [] {
    OnnxLayerMakers all;
    add_movement_layers(all);
    add_convolution_layers(all);
    add_product_layers(all);
    add_affine_layers(all);
    add_elementwise_layers(all);
    add_pool_layers(all);
    add_softmax_layers(all);
    add_recurrent_layers(all);
    return all;
  }();
  return makers;
}

void add(OnnxLowering& graph, const OnnxNode& node) {
  if (!node.domain.empty() || !onnx_operators().contains(node.op)) {
    throw node.error(
        fmt::format("operator {}{} (opset {}) is not supported; docs/onnx.md lists those that are. Export the "
                    "model without it, or rewrite it in terms of these",
                    node.domain.empty() ? "" : node.domain + ".", node.op, node.opset));
  }
  const bool constant = std::ranges::all_of(
      node.inputs, [&](const std::string& name) { return name.empty() || graph.value(name).constant; });
  if (constant) return graph.fold(node);
  if (node.op == "Shape" || node.op == "Size") return graph.fold_shape(node);
  if (shape_from_values(node.op)) {
    throw node.error("makes a value whose shape depends on the image, which is not supported");
  }
  const auto found = layer_makers().find(node.op);
  return found != layer_makers().end() ? found->second(graph, node) : add_general_layer(graph, node);
}

}  // namespace

Network network_of(OnnxModel model, Extents* output) {
  OnnxLowering graph(model);
  for (const OnnxNode& node : model.nodes) {
    add(graph, node);
    for (std::size_t k = 0; k < node.outputs.size(); ++k) {
      if (graph.used(node, k) && !graph.made(node.outputs[k])) {
        throw node.error(fmt::format("its output '{}' is used, which it does not make", node.outputs[k]));
      }
    }
  }
  OnnxNode end;
  end.file = model.file, end.op = "output", end.name = model.outputs.front().name;
  const OnnxLayerValue& logits = graph.value(end.name);
  if (output != nullptr) *output = logits.dims;
  return graph.finish(end, logits);
}

Network read_onnx(const std::string& path) {
  OnnxModel model = read_onnx_model(path);
  const std::string output = model.outputs.empty() ? "" : model.outputs.front().name;
  Extents dims;
  Network network = network_of(std::move(model), &dims);
  const auto wide = std::ranges::count_if(dims, [](std::int64_t extent) { return extent > 1; });
  if (network.classes < 2 || wide != 1) {
    throw input_error(path, fmt::format("its output '{}' is {}, expected a vector of at least two classes", output,
                                        extents_text(dims)));
  }
  network.content = hash_file(path);
  return network;
}

}  // namespace crossgrid
