#include "onnx_layers.hpp"

#include <memory>
#include <utility>

#include "crossgrid/onnx/onnx_operators.hpp"

namespace crossgrid {
void add_general_layer(OnnxLowering& graph, const OnnxNode& node) {
  if (add_elementwise_layer(graph, node)) return;
  TensorOperation operation;
  operation.node = std::make_shared<OnnxNode>(node);
  std::vector<OnnxLayerValue> from;
  std::vector<OnnxTensor> zeros;
  zeros.reserve(node.inputs.size());
  std::vector<const OnnxTensor*> inputs;
  for (std::size_t k = 0; k < node.inputs.size(); ++k) {
    TensorOperation::Operand operand;
    if (node.has_input(k)) {
      const OnnxLayerValue& input = graph.value(node, k);
      if (input.constant) {
        operand.constant = *input.constant;
        inputs.push_back(input.constant.get());
      } else {
        operand.input = static_cast<int>(from.size());
        operand.dims = input.dims;
        operand.type = input.type;
        if (!same_memory(input.dims, input.order, row_major_order(input.rank()))) {
          operand.sources = memory_places(input.dims, input.order);
        }
        from.push_back(input);
        zeros.push_back(zeros_of(input.type, input.dims));
        inputs.push_back(&zeros.back());
      }
    } else {
      inputs.push_back(nullptr);
    }
    operation.operands.push_back(std::move(operand));
  }
  const std::vector<OnnxTensor> made = evaluate(node, inputs);
  for (std::size_t k = 0; k < made.size(); ++k) {
    if (!graph.used(node, k)) continue;
    TensorOperation own = operation;
    own.result = static_cast<int>(k);
    const std::vector<int> order = row_major_order(made[k].rank());
    own.dims = made[k].dims(), own.type = made[k].type();
    own.output = memory_shape(made[k].dims(), order);
    OnnxLayerValue result = graph.append(node, std::move(own), from,
                                         memory_shape(from.front().dims, from.front().order), made[k].dims(), order);
    result.type = made[k].type();
    graph.name_output(node, k, std::move(result));
  }
}

}  // namespace crossgrid
