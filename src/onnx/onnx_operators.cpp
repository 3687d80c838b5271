#include "crossgrid/onnx/onnx_operators.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace crossgrid {

const OnnxOperators& onnx_operators() {
  static const OnnxOperators table = [] {
    OnnxOperators operators;
    add_unary_operators(operators);
    add_elementwise_operators(operators);
    add_movement_operators(operators);
    add_indexing_operators(operators);
    add_sorting_operators(operators);
    add_reduction_operators(operators);
    add_shape_operators(operators);
    add_constant_operators(operators);
    add_window_operators(operators);
    add_convolution_operators(operators);
    add_product_operators(operators);
    add_normalization_operators(operators);
    add_softmax_operators(operators);
    add_recurrent_operators(operators);
    add_resize_operators(operators);
    add_quantization_operators(operators);
    return operators;
  }();
  return table;
}

std::vector<OnnxTensor> evaluate(const OnnxNode& node, OnnxInputs inputs) {
  const auto found = onnx_operators().find(node.op);
  if (!node.domain.empty() || found == onnx_operators().end()) {
    throw node.error(fmt::format("operator {}{} (opset {}) is not supported; docs/onnx.md lists those that are",
                                 node.domain.empty() ? "" : node.domain + ".", node.op, node.opset));
  }
  return found->second(node, inputs);
}

std::vector<OnnxTensor> evaluate(const OnnxModel& model, std::span<const OnnxTensor> inputs) {
  std::map<std::string, OnnxTensor> values = model.constants;
  for (std::size_t k = 0; k < model.inputs.size(); ++k) values[model.inputs[k].name] = inputs[k];
  for (const OnnxNode& node : model.nodes) {
    std::vector<const OnnxTensor*> given;
    given.reserve(node.inputs.size());
    for (const std::string& name : node.inputs) {
      const auto found = values.find(name);
      if (!name.empty() && found == values.end()) {
        throw node.error(fmt::format("its input '{}' is left out by the node that makes it", name));
      }
      given.push_back(name.empty() ? nullptr : &found->second);
    }
    std::vector<OnnxTensor> made = evaluate(node, given);
    for (std::size_t k = 0; k < node.outputs.size() && k < made.size(); ++k) {
      if (!node.outputs[k].empty()) values[node.outputs[k]] = std::move(made[k]);
    }
  }
  std::vector<OnnxTensor> outputs;
  for (const OnnxValue& output : model.outputs) {
    const auto found = values.find(output.name);
    if (found == values.end()) {
      throw input_error(model.file, fmt::format("its output '{}' is left out by the node that makes it", output.name));
    }
    outputs.push_back(found->second);
  }
  return outputs;
}

}  // namespace crossgrid
