#include <utility>

#include "onnx_export_graph.hpp"
#include "onnx_value.hpp"

namespace crossgrid {
namespace {

/// [1, height, width, channels] as an image's shape.
Shape image_shape(const Extents& dims) {
  return {static_cast<int>(dims[3]), static_cast<int>(dims[1]), static_cast<int>(dims[2])};
}

class OperationExport {
 public:
  OperationExport(OnnxExportGraph& graph, const Layer& layer, const TensorOperation& operation)
      : graph_(graph), layer_(layer), operation_(operation) {
    for (const TensorOperation::Operand& operand : operation.operands) {
      if (operand.input >= 0) channels_first_ = channels_first_ || value_of(operand).image;
    }
    channels_first_ = channels_first_ && operation.elementwise && operation.dims.size() == 4;
  }

  ExportedValue run() {
    OnnxNode node = *operation_.node;
    node.inputs.clear();
    for (const TensorOperation::Operand& operand : operation_.operands) node.inputs.push_back(name_of(operand));
    if (node.op == "CastLike") {
      node.op = "Cast";
      node.attributes["to"] = type_number(operation_.type);
      node.inputs.resize(1);
    }
    const std::string made =
        as_type(graph_.add_main(layer_, std::move(node), static_cast<std::size_t>(operation_.result)), operation_.type,
                ElementType::float32);
    const Extents& dims = operation_.dims;
    if (!channels_first_) return {made, dims, false};
    return {made, {1, dims[3], dims[1], dims[2]}, true};
  }

 private:
  const ExportedValue& value_of(const TensorOperation::Operand& operand) const {
    return graph_.value(layer_.inputs[static_cast<std::size_t>(operand.input)]);
  }

  std::string as_type(const std::string& name, ElementType from, ElementType to) {
    return from == to ? name : graph_.add_helper(layer_, "Cast", {name}, {{"to", type_number(to)}});
  }

  /// Reals are in float32, as the network computes them.
  std::string name_of(const TensorOperation::Operand& operand) {
    if (operand.constant) return constant(*operand.constant);
    if (operand.input < 0) return "";
    const std::string name = elements(operand, value_of(operand));
    return is_real(operand.type) ? name : as_type(name, ElementType::float32, operand.type);
  }

  std::string constant(const OnnxTensor& tensor) {
    OnnxTensor own = tensor.real() ? tensor.cast(ElementType::float32) : tensor;
    if (channels_first_ && own.rank() == 4) own = in_memory_order(own, {0, 3, 1, 2});
    return graph_.add_constant(layer_, "constant", std::move(own));
  }

  std::string elements(const TensorOperation::Operand& operand, const ExportedValue& value) {
    if (channels_first_) return graph_.as_image(layer_, value, image_shape(operand.dims)).name;
    if (operand.sources.empty()) return graph_.as_memory(layer_, value, operand.dims).name;
    if (value.image && flattens(operand.sources, value.shape())) {
      return graph_.reshaped(layer_, value.name, value.dims, operand.dims);
    }
    const auto size = static_cast<std::int64_t>(operand.sources.size());
    const ExportedValue memory = graph_.as_memory(layer_, value, {1, size});
    const std::string picked =
        graph_.add_helper(layer_, "Gather", {memory.name, graph_.add_integers(layer_, "places", operand.sources)},
                          {{"axis", std::int64_t{1}}});
    return graph_.reshaped(layer_, picked, memory.dims, operand.dims);
  }

  OnnxExportGraph& graph_;
  const Layer& layer_;
  const TensorOperation& operation_;
  bool channels_first_ = false;  ///< an elementwise operation on images, done as they lie in the graph
};

}  // namespace

ExportedValue export_operation(OnnxExportGraph& graph, const Layer& layer, const TensorOperation& operation) {
  return OperationExport(graph, layer, operation).run();
}

}  // namespace crossgrid
