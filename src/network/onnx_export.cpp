#include "crossgrid/network/onnx_export.hpp"

#include <cmath>
#include <utility>

#include "onnx_export_graph.hpp"

namespace crossgrid {
namespace {

using Integers = std::vector<std::int64_t>;

Integers both(int vertical, int horizontal) {
  return {vertical, horizontal};
}

OnnxExportGraph::Attributes window_attributes(const Window& window) {
  const WindowAxis &y = window.vertical, &x = window.horizontal;
  OnnxExportGraph::Attributes attributes{{"kernel_shape", both(y.kernel, x.kernel)},
                                         {"strides", both(y.stride, x.stride)},
                                         {"pads", Integers{y.before, x.before, y.after, x.after}}};
  if (y.dilation != 1 || x.dilation != 1) attributes["dilations"] = both(y.dilation, x.dilation);
  return attributes;
}

OnnxTensor weights_tensor(const Matrix& weights, Extents dims) {
  return OnnxTensor::of_floats(std::move(dims), {weights.data(), weights.data() + weights.size()});
}

OnnxTensor vector_tensor(const std::vector<float>& values) {
  return OnnxTensor::of_floats({static_cast<std::int64_t>(values.size())}, values);
}

Extents dims_of(const Shape& shape) {
  return {1, shape.channels, shape.height, shape.width};
}

/// Adds a layer's nodes.
struct LayerExport {
  OnnxExportGraph& graph;
  const Layer& layer;
  const Shape& view;  ///< of its first input

  ExportedValue input(std::size_t k = 0) const { return graph.value(layer.inputs[k]); }
  ExportedValue image(std::size_t k = 0) const { return graph.as_image(layer, input(k), view); }

  std::vector<std::string> with_weights(const std::string& from, OnnxTensor weights,
                                        const std::vector<float>& bias) const {
    std::vector<std::string> inputs{from, graph.add_constant(layer, "weight", std::move(weights))};
    if (!bias.empty()) inputs.push_back(graph.add_constant(layer, "bias", vector_tensor(bias)));
    return inputs;
  }
  ExportedValue made_image(const std::string& op, std::vector<std::string> inputs,
                           OnnxExportGraph::Attributes attributes) const {
    return {graph.add_main(layer, op, std::move(inputs), std::move(attributes)), dims_of(layer.output), true};
  }

  ExportedValue operator()(const Conv2d& conv) const {
    const WindowAxis &y = conv.window.vertical, &x = conv.window.horizontal;
    const Extents dims{conv.weights.rows(), conv.weights.cols() / conv.window.size(), y.kernel, x.kernel};
    OnnxExportGraph::Attributes attributes = window_attributes(conv.window);
    if (conv.groups > 1) attributes["group"] = std::int64_t{conv.groups};
    return made_image("Conv", with_weights(image().name, weights_tensor(conv.weights, dims), conv.bias), attributes);
  }
  ExportedValue operator()(const Linear& linear) const {
    const Matrix& weights = linear.weights;
    const std::string from = graph.as_memory(layer, input(), {1, weights.cols()}).name;
    const OnnxTensor matrix = weights_tensor(weights, {weights.rows(), weights.cols()});
    return {graph.add_main(layer, "Gemm", with_weights(from, matrix, linear.bias), {{"transB", std::int64_t{1}}}),
            {1, weights.rows()},
            false};
  }
  ExportedValue operator()(const Clamp& clamp) const {
    ExportedValue made = input();
    if (clamp == Clamp{}) {
      made.name = graph.add_main(layer, "Relu", {made.name});
      return made;
    }
    std::vector<std::string> inputs{made.name};
    OnnxExportGraph::Attributes attributes;
    const auto limit = [&](const char* name, std::size_t place, float value) {
      if (std::isinf(value)) return;
      if (graph.opset() < 11) {
        attributes[name] = value;
        return;
      }
      inputs.resize(place + 1);
      inputs[place] = graph.add_constant(layer, name, OnnxTensor::of_floats({}, {value}));
    };
    limit("min", 1, clamp.low);
    limit("max", 2, clamp.high);
    made.name = graph.add_main(layer, "Clip", inputs, attributes);
    return made;
  }
  ExportedValue operator()(const MaxPool2d& pool) const {
    return made_image("MaxPool", {image().name}, window_attributes(pool.window));
  }
  ExportedValue operator()(const AvgPool2d& pool) const {
    OnnxExportGraph::Attributes attributes = window_attributes(pool.window);
    attributes["count_include_pad"] = std::int64_t{pool.padding_counts ? 1 : 0};
    return made_image("AveragePool", {image().name}, attributes);
  }
  ExportedValue operator()(const GlobalAvgPool&) const { return made_image("GlobalAveragePool", {image().name}, {}); }
  ExportedValue operator()(const Flatten&) const {
    const std::string name = graph.add_main(layer, "Flatten", {image().name}, {{"axis", std::int64_t{1}}});
    return {name, {1, static_cast<std::int64_t>(view.size())}, false};
  }
  ExportedValue operator()(const Add&) const {
    ExportedValue a = input(0), b = input(1);
    if (a.dims != b.dims || a.image != b.image) a = image(0), b = image(1);
    a.name = graph.add_main(layer, "Add", {a.name, b.name});
    return a;
  }
  ExportedValue operator()(const Softmax&) const {
    if (graph.opset() < 13) {  // There it is over all dimensions from the axis on.
      const auto pixels = static_cast<std::int64_t>(view.size()) / view.channels;
      const ExportedValue rows = graph.as_memory(layer, input(), {1, pixels, view.channels});
      return {graph.add_main(layer, "Softmax", {rows.name}, {{"axis", std::int64_t{2}}}), rows.dims, false};
    }
    ExportedValue made = by_channel();
    made.name = graph.add_main(layer, "Softmax", {made.name}, {{"axis", std::int64_t{1}}});
    return made;
  }
  ExportedValue operator()(const ChannelAffine& affine) const {
    ExportedValue made = by_channel();
    const std::vector<float> zeros(affine.scale.size(), 0.0f), ones(affine.scale.size(), 1.0f);
    std::vector<std::string> inputs{made.name};
    inputs.push_back(graph.add_constant(layer, "scale", vector_tensor(affine.scale)));
    inputs.push_back(graph.add_constant(layer, "shift", vector_tensor(affine.shift)));
    inputs.push_back(graph.add_constant(layer, "mean", vector_tensor(zeros)));
    inputs.push_back(graph.add_constant(layer, "variance", vector_tensor(ones)));
    made.name = graph.add_main(layer, "BatchNormalization", inputs, {{"epsilon", 0.0f}});
    return made;
  }
  ExportedValue operator()(const Rearrange& copies) const { return export_rearrange(graph, layer, copies); }
  ExportedValue operator()(const Recurrent& recurrent) const { return export_recurrent(graph, layer, recurrent); }
  ExportedValue operator()(const TensorOperation& operation) const { return export_operation(graph, layer, operation); }

  /// The first input with the view's channels in dimension 1.
  ExportedValue by_channel() const {
    ExportedValue from = input();
    const bool vector = !from.image && from.dims == Extents{1, view.channels};
    if (vector || (from.image && from.shape().channels == view.channels)) return from;
    return image();
  }
};

}  // namespace

OnnxModel onnx_model_of(const Network& network) {
  OnnxExportGraph graph(network);
  for (const Layer& layer : network.layers) {
    graph.add_value(std::visit(LayerExport{graph, layer, input_shape(network, layer)}, layer.operation));
  }
  return graph.finish();
}

}  // namespace crossgrid
