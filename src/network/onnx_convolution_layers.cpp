#include "onnx_layers.hpp"

#include <fmt/format.h>

#include "onnx_windows.hpp"

namespace crossgrid {
namespace {

using Value = OnnxLayerValue;

/// A layer of channels-last images: the batch must be one.
void expect_one_image(const OnnxNode& node, const Value& value) {
  if (value.dims.front() != 1) {
    throw node.error(fmt::format("has an input of {}, expected the batch, of one image, in the first dimension",
                                 extents_text(value.dims)));
  }
}

void append_conv(OnnxLowering& graph, const OnnxNode& node, Conv2d conv, const Value& image) {
  Extents dims = image.dims;
  dims[1] = conv.weights.rows();
  const Shape view = memory_shape(image.dims, image.order);
  const Shape shapes[] = {view};
  const Operation operation = std::move(conv);
  const Shape out = output_shape(operation, shapes, node.where());
  dims.back() = out.width;
  if (image.rank() == 4) dims[2] = out.height;
  graph.name_output(node, 0, graph.append(node, operation, {image}, view, dims, image.order));
}

void add_conv(OnnxLowering& graph, const OnnxNode& node) {
  const Value& from = graph.value(node, 0);
  const OnnxTensor* const weights = graph.constant(node, 1);
  const bool planar = from.rank() == 3 || from.rank() == 4;
  if (weights == nullptr || from.constant || !planar) return add_general_layer(graph, node);
  if (weights->rank() != from.rank() || element_count(weights->dims()) == 0) {
    throw node.error(
        fmt::format("has weights of {} for an input of {}", extents_text(weights->dims()), extents_text(from.dims)));
  }
  expect_one_image(node, from);
  const Value image = graph.channels_last(node, from);
  Conv2d conv;
  conv.window = read_window(node, from.dims, weights->dims());
  conv.groups = static_cast<int>(node.integer("group", 1));
  const auto outputs = static_cast<Eigen::Index>(weights->dims()[0]);
  if (conv.groups < 1 || node.integer("group", 1) != conv.groups || from.dims[1] % conv.groups != 0 ||
      outputs % conv.groups != 0 || weights->dims()[1] * conv.groups != from.dims[1]) {
    throw node.error(fmt::format("has weights of {} in {} groups, which do not fit its input of {}",
                                 extents_text(weights->dims()), node.integer("group", 1), extents_text(from.dims)));
  }
  const std::vector<float> values = floats_of(*weights);
  conv.weights = Eigen::Map<const Matrix>(values.data(), outputs, weights->size() / outputs);
  const std::vector<double> bias = graph.per_channel(node, 2, outputs);
  conv.bias.assign(bias.begin(), bias.end());
  append_conv(graph, node, std::move(conv), image);
}

/// A convolution over the image with zeros between its pixels.
void add_conv_transpose(OnnxLowering& graph, const OnnxNode& node) {
  const Value& from = graph.value(node, 0);
  const OnnxTensor* const weights = graph.constant(node, 1);
  if (weights == nullptr || from.constant || (from.rank() != 3 && from.rank() != 4))
    return add_general_layer(graph, node);
  if (weights->rank() != from.rank() || element_count(weights->dims()) == 0) {
    throw node.error(
        fmt::format("has weights of {} for an input of {}", extents_text(weights->dims()), extents_text(from.dims)));
  }
  expect_one_image(node, from);
  const Value image = graph.channels_last(node, from);
  const SpreadWindow spread = read_spread_window(node, from.dims, weights->dims());
  const auto groups = static_cast<int>(node.integer("group", 1));
  const std::int64_t inputs = weights->dims()[0], of_group = weights->dims()[1];
  if (groups < 1 || inputs != from.dims[1] || inputs % groups != 0) {
    throw node.error(fmt::format("has weights of {} in {} groups, which do not fit its input of {}",
                                 extents_text(weights->dims()), groups, extents_text(from.dims)));
  }
  Extents dims = from.dims;
  if (from.rank() == 4) dims[2] = spread.vertical.extent;
  dims.back() = spread.horizontal.extent;
  if (element_count(dims) > largest_activation) throw node.error("makes too large an image");
  std::vector<std::int64_t> sources;
  for (std::int64_t y = 0; y < spread.vertical.extent; ++y) {
    for (std::int64_t x = 0; x < spread.horizontal.extent; ++x) {
      const std::int64_t row = spread.vertical.source(y), column = spread.horizontal.source(x);
      const std::int64_t pixel = row < 0 || column < 0 ? -1 : row * spread.horizontal.input + column;
      for (std::int64_t c = 0; c < inputs; ++c) sources.push_back(pixel < 0 ? -1 : pixel * inputs + c);
    }
  }
  const std::int64_t sizes[] = {element_count(from.dims)};
  const Shape view = memory_shape(image.dims, image.order);
  Operation copies = copies_of(sources, sizes, 0, view, memory_shape(dims, image.order));
  const Value wide = graph.append(node, std::move(copies), {image}, view, dims, image.order);
  Conv2d conv;
  conv.groups = groups;
  conv.window = spread.window;
  const std::int64_t outputs = of_group * groups, kernel = conv.window.size(), in_group = inputs / groups;
  const std::vector<float> values = floats_of(*weights);
  conv.weights.resize(outputs, in_group * kernel);
  for (std::int64_t o = 0; o < outputs; ++o) {
    for (std::int64_t i = 0; i < in_group; ++i) {
      for (std::int64_t k = 0; k < kernel; ++k) {
        const std::int64_t source = ((o / of_group * in_group + i) * of_group + o % of_group) * kernel + kernel - 1 - k;
        conv.weights(o, i * kernel + k) = values[static_cast<std::size_t>(source)];
      }
    }
  }
  const std::vector<double> bias = graph.per_channel(node, 2, outputs);
  conv.bias.assign(bias.begin(), bias.end());
  append_conv(graph, node, std::move(conv), wide);
}

}  // namespace

void add_convolution_layers(OnnxLayerMakers& makers) {
  makers["Conv"] = add_conv;
  makers["ConvTranspose"] = add_conv_transpose;
}

}  // namespace crossgrid
