#include "onnx_layers.hpp"

#include <fmt/format.h>

namespace crossgrid {
namespace {

using Value = OnnxLayerValue;

void add_softmax(OnnxLowering& graph, const OnnxNode& node) {
  const Value from = graph.value(node, 0);
  std::int64_t axis = node.integer("axis", node.opset < 13 ? 1 : -1);
  if (axis < 0) axis += from.rank();
  if (axis < 0 || axis >= from.rank()) throw node.error(fmt::format("has no axis {}", node.integer("axis", -1)));
  // Before opset 13 it is over all dimensions from the axis on.
  std::int64_t behind = 1;
  for (int d = static_cast<int>(axis) + 1; d < from.rank(); ++d) behind *= from.dims[static_cast<std::size_t>(d)];
  const std::vector<int> order = with_last(from.order, static_cast<int>(axis));
  if (!same_memory(from.dims, from.order, order) || (node.opset < 13 && behind != 1))
    return add_general_layer(graph, node);
  graph.name_output(node, 0, graph.append(node, Softmax{}, {from}, memory_shape(from.dims, order), from.dims, order));
}

}  // namespace

void add_softmax_layers(OnnxLayerMakers& makers) {
  makers["Softmax"] = add_softmax;
}

}  // namespace crossgrid
