#include "onnx_layers.hpp"
#include "onnx_recurrent.hpp"

namespace crossgrid {
namespace {

/// A matrix layer for each direction where all but the sequence is constant, and copies of what they made for each of
/// the node's outputs.
void add_recurrent(OnnxLowering& graph, const OnnxNode& node) {
  const OnnxLayerValue& from = graph.value(node, 0);
  std::vector<const OnnxTensor*> inputs;
  for (std::size_t k = 0; k < node.inputs.size(); ++k) {
    inputs.push_back(graph.constant(node, k));
    const bool given = inputs.back() != nullptr;
    if (node.has_input(k) && given != (k > 0)) return add_general_layer(graph, node);
  }
  const auto layers = recurrent_layers(node, from.dims, inputs);
  if (!layers || !is_real(from.type)) return add_general_layer(graph, node);
  const OnnxLayerValue x = graph.reordered(node, from, layers->order);
  std::vector<OnnxLayerValue> made;
  for (const Recurrent& direction : layers->directions) {
    OnnxNode named = node;
    if (layers->directions.size() > 1) named.name += direction.reverse ? ".reverse" : ".forward";
    made.push_back(graph.append(named, direction, {x}, layers->view, layers->dims, row_major_order(3)));
  }
  const Shape view = memory_shape(layers->dims, row_major_order(3));
  for (std::size_t k = 0; k < node.outputs.size(); ++k) {
    if (!graph.used(node, k)) continue;
    RecurrentOutput output = recurrent_output(*layers, k);
    graph.name_output(node, k, graph.append(node, std::move(output.copies), made, view, output.dims, output.order));
  }
}

}  // namespace

void add_recurrent_layers(OnnxLayerMakers& makers) {
  for (const char* const op : {"GRU", "LSTM", "RNN"}) makers[op] = add_recurrent;
}

}  // namespace crossgrid
