#include "onnx_layers.hpp"

#include <cmath>
#include <utility>

namespace crossgrid {
namespace {

using Value = OnnxLayerValue;

Matrix* weights_of(Layer& layer) {
  if (auto* conv = std::get_if<Conv2d>(&layer.operation)) return &conv->weights;
  if (auto* linear = std::get_if<Linear>(&layer.operation)) return &linear->weights;
  return nullptr;
}

std::vector<float>& bias_of(Layer& layer) {
  auto* conv = std::get_if<Conv2d>(&layer.operation);
  return conv ? conv->bias : std::get<Linear>(layer.operation).bias;
}

/// A constant as one number per channel of `like`'s memory (its fastest dimension), or one for all. Empty: it is
/// neither.
std::vector<float> channel_constant(const OnnxTensor& tensor, const Value& like) {
  if (like.rank() == 0) return {};
  const auto channels = static_cast<std::size_t>(like.dims[static_cast<std::size_t>(like.order.back())]);
  std::vector<float> values = floats_of(tensor);
  if (tensor.rank() > like.rank()) return {};
  if (values.size() == 1) return std::vector<float>(channels, values.front());
  Extents dims(static_cast<std::size_t>(like.rank() - tensor.rank()), 1);
  dims.insert(dims.end(), tensor.dims().begin(), tensor.dims().end());
  const bool along = values.size() == channels &&
                     dims[static_cast<std::size_t>(like.order.back())] == static_cast<std::int64_t>(channels);
  return along ? values : std::vector<float>{};
}

/// Into the product before it, else a layer of its own.
void scale_and_shift(OnnxLowering& graph, const OnnxNode& node, std::size_t input, const std::vector<double>& scale,
                     const std::vector<double>& shift) {
  const Value from = graph.value(node, input);
  Layer* const product = graph.only_user_of(node, input);
  if (product != nullptr && weights_of(*product) != nullptr &&
      weights_of(*product)->rows() == static_cast<Eigen::Index>(scale.size()) &&
      product->output.channels == static_cast<int>(from.dims[static_cast<std::size_t>(from.order.back())])) {
    Matrix& weights = *weights_of(*product);
    std::vector<float>& bias = bias_of(*product);
    for (Eigen::Index j = 0; j < weights.rows(); ++j) {
      const auto at = static_cast<std::size_t>(j);
      if (scale[at] != 1) weights.row(j) = (scale[at] * weights.row(j).cast<double>()).cast<float>();
      bias[at] = static_cast<float>(static_cast<double>(bias[at]) * scale[at] + shift[at]);
    }
    return graph.name_output(node, 0, from);
  }
  const ChannelAffine affine{{scale.begin(), scale.end()}, {shift.begin(), shift.end()}};
  const Shape view{static_cast<int>(scale.size()), 1,
                   static_cast<int>(element_count(from.dims) / static_cast<std::int64_t>(scale.size()))};
  graph.name_output(node, 0, graph.append(node, affine, {from}, view, from.dims, from.order));
}

void add_batch_norm(OnnxLowering& graph, const OnnxNode& node) {
  Value from = graph.value(node, 0);
  if (from.constant || from.rank() < 2 || node.integer("training_mode", 0) != 0) return add_general_layer(graph, node);
  for (std::size_t k = 1; k < 5; ++k) {
    if (graph.constant(node, k) == nullptr) return add_general_layer(graph, node);
  }
  const std::int64_t channels = from.dims[1];
  const auto scale = graph.per_channel(node, 1, channels), shift = graph.per_channel(node, 2, channels);
  const auto mean = graph.per_channel(node, 3, channels), variance = graph.per_channel(node, 4, channels);
  if (from.order.back() != 1) {
    from = graph.channels_last(node, from);
    graph.replace_input(node, 0, from);
  }
  std::vector<double> factor, offset;
  for (std::size_t c = 0; c < scale.size(); ++c) {
    factor.push_back(scale[c] / std::sqrt(variance[c] + node.number("epsilon", 1e-5F)));
    offset.push_back(shift[c] - mean[c] * factor.back());
  }
  scale_and_shift(graph, node, 0, factor, offset);
}

/// x + c, x - c, c - x, x * c, x / c with one number per channel.
void add_affine(OnnxLowering& graph, const OnnxNode& node) {
  if (node.inputs.size() != 2) return add_general_layer(graph, node);
  const bool second = graph.constant(node, 1) != nullptr;
  const OnnxTensor* const tensor = second ? graph.constant(node, 1) : graph.constant(node, 0);
  if (tensor == nullptr || (node.op == "Div" && !second)) return add_general_layer(graph, node);
  const std::size_t from = second ? 0 : 1;
  const std::vector<float> numbers = channel_constant(*tensor, graph.value(node, from));
  if (numbers.empty()) return add_general_layer(graph, node);
  std::vector<double> scale(numbers.size(), 1.0), shift(numbers.size(), 0.0);
  for (std::size_t c = 0; c < numbers.size(); ++c) {
    const auto number = static_cast<double>(numbers[c]);
    if (node.op == "Mul") scale[c] = number;
    if (node.op == "Div") scale[c] = 1 / number;
    if (node.op == "Add") shift[c] = number;
    if (node.op == "Sub") shift[c] = second ? -number : number;
    if (node.op == "Sub" && !second) scale[c] = -1;
  }
  scale_and_shift(graph, node, from, scale, shift);
}

void add_sum(OnnxLowering& graph, const OnnxNode& node) {
  if (node.inputs.size() != 2 || graph.constant(node, 0) != nullptr || graph.constant(node, 1) != nullptr)
    return add_affine(graph, node);
  const Value a = graph.value(node, 0), b = graph.value(node, 1);
  if (a.dims != b.dims) return add_general_layer(graph, node);
  const Value second = graph.reordered(node, b, a.order);
  graph.name_output(node, 0, graph.append(node, Add{}, {a, second}, memory_shape(a.dims, a.order), a.dims, a.order));
}

}  // namespace

void add_affine_layers(OnnxLayerMakers& makers) {
  makers["Add"] = add_sum;
  makers["BatchNormalization"] = add_batch_norm;
  makers["Div"] = add_affine;
  makers["Mul"] = add_affine;
  makers["Sub"] = add_affine;
}

}  // namespace crossgrid
