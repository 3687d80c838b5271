#include "onnx_layers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace crossgrid {
namespace {

using Value = OnnxLayerValue;

Value transposed(Value value) {
  const auto last = static_cast<std::size_t>(value.rank()) - 1;
  std::swap(value.dims[last], value.dims[last - 1]);
  for (int& d : value.order) {
    if (d >= value.rank() - 2) d = d == value.rank() - 1 ? value.rank() - 2 : value.rank() - 1;
  }
  return value;
}

Matrix matrix_of(const OnnxTensor& tensor) {
  const std::vector<float> values = floats_of(tensor);
  return Eigen::Map<const Matrix>(values.data(), tensor.dims()[0], tensor.dims()[1]);
}

/// Vectors times a matrix: the last dimension of `from` is the matrix's inputs. weights: outputs x inputs.
Value multiply(OnnxLowering& graph, const OnnxNode& node, Value from, Matrix weights, std::vector<float> bias) {
  if (from.dims.back() != weights.cols()) {
    throw node.error(fmt::format("multiplies {} by a matrix of {} inputs", extents_text(from.dims), weights.cols()));
  }
  const std::vector<int> order = with_last(from.order, from.rank() - 1);
  from = graph.reordered(node, from, same_memory(from.dims, from.order, order) ? order : row_major_order(from.rank()));
  if (bias.empty()) bias.assign(static_cast<std::size_t>(weights.rows()), 0.0f);
  const std::int64_t vectors = element_count(from.dims) / std::max<std::int64_t>(from.dims.back(), 1);
  const Shape view{static_cast<int>(from.dims.back()), 1, static_cast<int>(vectors)};
  Extents dims = from.dims;
  dims.back() = weights.rows();
  Operation operation;
  if (vectors == 1) {
    operation = Linear{std::move(weights), std::move(bias)};
  } else {
    operation = Conv2d{Window{}, 1, std::move(weights), std::move(bias)};
  }
  return graph.append(node, std::move(operation), {from}, view, dims, from.order);
}

void add_gemm(OnnxLowering& graph, const OnnxNode& node) {
  const Value a = graph.value(node, 0), b = graph.value(node, 1);
  const OnnxTensor* const c = graph.constant(node, 2);
  const bool by_weights = static_cast<bool>(a.constant) != static_cast<bool>(b.constant);
  if (!by_weights || a.rank() != 2 || b.rank() != 2 || (node.has_input(2) && c == nullptr))
    return add_general_layer(graph, node);
  const bool swapped = static_cast<bool>(a.constant);
  const bool turn_a = node.integer("transA", 0) != 0, turn_b = node.integer("transB", 0) != 0;
  // x W + c, or (W x + c) as (x' W' + c')'.
  Value x = swapped ? b : a;
  if (swapped ? !turn_b : turn_a) x = transposed(x);
  Matrix weights = matrix_of(swapped ? *a.constant : *b.constant);
  if (swapped ? turn_a : !turn_b) weights.transposeInPlace();
  weights *= static_cast<float>(node.number("alpha", 1));
  const std::int64_t outputs = weights.rows(), vectors = x.dims[0];
  std::vector<float> bias;
  if (c != nullptr) {
    // One number for each output, whichever side the outputs are on.
    Extents wide = c->dims();
    while (wide.size() < 2) wide.insert(wide.begin(), 1);
    const bool fits = c->size() == 1 || (c->size() == outputs && wide[swapped ? 0 : 1] == outputs) ||
                      (vectors == 1 && c->size() == outputs);
    if (!fits || wide.size() > 2) return add_general_layer(graph, node);
    const std::vector<double> added = c->as_reals();
    const double beta = node.number("beta", 1);
    for (std::int64_t j = 0; j < outputs; ++j) {
      bias.push_back(static_cast<float>(beta * added[static_cast<std::size_t>(c->size() == 1 ? 0 : j)]));
    }
  }
  const Value made = multiply(graph, node, x, std::move(weights), std::move(bias));
  graph.name_output(node, 0, swapped ? transposed(made) : made);
}

void add_matmul(OnnxLowering& graph, const OnnxNode& node) {
  const Value a = graph.value(node, 0), b = graph.value(node, 1);
  const bool by_weights = static_cast<bool>(a.constant) != static_cast<bool>(b.constant);
  const Value &weights = a.constant ? a : b, &x = a.constant ? b : a;
  if (!by_weights || weights.rank() != 2 || x.rank() < 2) return add_general_layer(graph, node);
  if (b.constant) {
    graph.name_output(node, 0, multiply(graph, node, x, matrix_of(*b.constant).transpose(), {}));
  } else {
    graph.name_output(node, 0, transposed(multiply(graph, node, transposed(x), matrix_of(*a.constant), {})));
  }
}

}  // namespace

void add_product_layers(OnnxLayerMakers& makers) {
  makers["Gemm"] = add_gemm;
  makers["MatMul"] = add_matmul;
}

}  // namespace crossgrid
