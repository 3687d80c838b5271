#include "onnx_layers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "crossgrid/onnx/onnx_operators.hpp"

namespace crossgrid {
namespace {

using Value = OnnxLayerValue;

/// Operators that do the same to every element, inputs broadcast to each other.
bool elementwise(const std::string& op) {
  static const std::set<std::string> all{"Abs",
                                         "Acos",
                                         "Acosh",
                                         "Add",
                                         "Asin",
                                         "Asinh",
                                         "Atan",
                                         "Atanh",
                                         "Cast",
                                         "Ceil",
                                         "Celu",
                                         "Clip",
                                         "Cos",
                                         "Cosh",
                                         "Div",
                                         "Elu",
                                         "Equal",
                                         "Erf",
                                         "Exp",
                                         "Floor",
                                         "Gelu",
                                         "Greater",
                                         "HardSigmoid",
                                         "HardSwish",
                                         "LeakyRelu",
                                         "Less",
                                         "Log",
                                         "Max",
                                         "Mean",
                                         "Min",
                                         "Mish",
                                         "Mod",
                                         "Mul",
                                         "Neg",
                                         "Not",
                                         "Or",
                                         "PRelu",
                                         "Pow",
                                         "And",
                                         "Xor",
                                         "Reciprocal",
                                         "Relu",
                                         "Round",
                                         "Selu",
                                         "Shrink",
                                         "Sigmoid",
                                         "Sign",
                                         "Sin",
                                         "Sinh",
                                         "Softplus",
                                         "Softsign",
                                         "Sqrt",
                                         "Sub",
                                         "Sum",
                                         "Tan",
                                         "Tanh",
                                         "ThresholdedRelu",
                                         "Where",
                                         "GreaterOrEqual",
                                         "LessOrEqual",
                                         "IsNaN",
                                         "IsInf"};
  return all.contains(op);
}

void add_clamp(OnnxLowering& graph, const OnnxNode& node, const Clamp& clamp) {
  const Value from = graph.value(node, 0);
  graph.name_output(node, 0,
                    graph.append(node, clamp, {from}, memory_shape(from.dims, from.order), from.dims, from.order));
}

void add_relu(OnnxLowering& graph, const OnnxNode& node) {
  add_clamp(graph, node, {});
}

void add_clip(OnnxLowering& graph, const OnnxNode& node) {
  Clamp clamp = no_clamp;
  const std::pair<const char*, float*> ends[] = {{"min", &clamp.low}, {"max", &clamp.high}};
  for (std::size_t k = 0; k < 2; ++k) {
    if (node.has_input(k + 1)) {
      const OnnxTensor* const limit = graph.constant(node, k + 1);
      if (limit == nullptr || limit->size() != 1) return add_general_layer(graph, node);
      *ends[k].second = static_cast<float>(limit->as_reals().front());
    } else {
      *ends[k].second = static_cast<float>(node.number(ends[k].first, static_cast<double>(*ends[k].second)));
    }
  }
  if (!(clamp.low <= clamp.high)) return add_general_layer(graph, node);
  add_clamp(graph, node, clamp);
}

/// Memory's order doesn't matter where all inputs have the same: constants are brought into it.
void add_elementwise(OnnxLowering& graph, const OnnxNode& node) {
  std::size_t rank = 0;
  for (std::size_t k = 0; k < node.inputs.size(); ++k) {
    if (node.has_input(k)) rank = std::max(rank, graph.value(node, k).dims.size());
  }
  const auto widened = [&](const Extents& dims) {
    Extents wide(rank - dims.size(), 1);
    wide.insert(wide.end(), dims.begin(), dims.end());
    return wide;
  };
  Extents common(rank, 1);
  for (std::size_t k = 0; k < node.inputs.size(); ++k) {
    if (!node.has_input(k)) continue;
    const Extents wide = widened(graph.value(node, k).dims);
    for (std::size_t d = 0; d < rank; ++d) {
      if (wide[d] != 1 && common[d] != 1 && wide[d] != common[d]) {
        throw node.error(fmt::format("input '{}' is {}, which does not fit the others ({})", node.inputs[k],
                                     extents_text(graph.value(node, k).dims), extents_text(common)));
      }
      if (wide[d] != 1) common[d] = wide[d];
    }
  }
  std::vector<int> order;
  TensorOperation operation;
  operation.node = std::make_shared<OnnxNode>(node);
  std::vector<Value> from;
  for (std::size_t k = 0; k < node.inputs.size(); ++k) {
    if (!node.has_input(k) || graph.value(node, k).constant) continue;
    Value input = graph.value(node, k);
    if (input.dims.size() < rank) {
      input = graph.reordered(node, input, row_major_order(input.rank()));
      input.dims = widened(input.dims);
      input.order = row_major_order(static_cast<int>(rank));
    }
    if (order.empty()) order = input.order;
    from.push_back(graph.reordered(node, input, order));
  }
  std::vector<OnnxTensor> zeros;
  zeros.reserve(from.size());
  std::vector<const OnnxTensor*> inputs;
  bool at_once = rank > 0 && order.front() == 0;
  for (std::size_t k = 0, dynamic = 0; k < node.inputs.size(); ++k) {
    TensorOperation::Operand operand;
    if (node.has_input(k) && graph.value(node, k).constant) {
      const OnnxTensor& tensor = *graph.value(node, k).constant;
      // Scalars stay scalars: that is what limits and the like must be.
      operand.constant = tensor.rank() == 0 ? tensor : in_memory_order(tensor.reshaped(widened(tensor.dims())), order);
      at_once = at_once && (tensor.rank() == 0 || operand.constant->dims().front() == 1);
    } else if (node.has_input(k)) {
      operand.input = static_cast<int>(dynamic);
      for (const int d : order) operand.dims.push_back(from[dynamic].dims[static_cast<std::size_t>(d)]);
      operand.type = from[dynamic].type;
      at_once = at_once && operand.dims.front() == 1;
      zeros.push_back(zeros_of(operand.type, operand.dims));
      ++dynamic;
    }
    operation.operands.push_back(std::move(operand));
  }
  std::size_t dynamic = 0;
  for (const TensorOperation::Operand& operand : operation.operands) {
    inputs.push_back(operand.constant ? &*operand.constant : operand.input >= 0 ? &zeros[dynamic++] : nullptr);
  }
  const OnnxTensor made = evaluate(node, inputs).front();
  if (made.dims().size() != rank) throw node.error("has an input that it does not take");
  operation.elementwise = at_once;
  operation.dims = made.dims(), operation.type = made.type();
  Extents dims(rank);
  for (std::size_t k = 0; k < rank; ++k) dims[static_cast<std::size_t>(order[k])] = made.dims()[k];
  operation.output = memory_shape(dims, order);
  Value result = graph.append(node, std::move(operation), from, memory_shape(from.front().dims, order), dims, order);
  result.type = made.type();
  graph.name_output(node, 0, std::move(result));
}

}  // namespace

bool add_elementwise_layer(OnnxLowering& graph, const OnnxNode& node) {
  if (!elementwise(node.op)) return false;
  add_elementwise(graph, node);
  return true;
}

void add_elementwise_layers(OnnxLayerMakers& makers) {
  makers["Relu"] = add_relu;
  makers["Clip"] = add_clip;
}

}  // namespace crossgrid
