#include "crossgrid/network/network.hpp"

#include <fmt/format.h>

#include <cstdint>

#include "crossgrid/base/error.hpp"

namespace crossgrid {
namespace {

std::string text(const Shape& shape) {
  return fmt::format("{} x {} x {} (channels x height x width)", shape.channels, shape.height, shape.width);
}

/// A square or rectangular window that slides over an image.
struct Window {
  int height = 1, width = 1, stride = 1, padding = 0;
};

Shape slide(const Window& window, const Shape& input, int channels, const std::string& where) {
  const int height = input.height + 2 * window.padding - window.height;
  const int width = input.width + 2 * window.padding - window.width;
  if (height < 0 || width < 0) {
    throw input_error(where,
                      fmt::format("found a window of {} x {}, expected one no larger than its input of {} x {} with "
                                  "padding {}",
                                  window.height, window.width, input.height, input.width, window.padding));
  }
  return {channels, height / window.stride + 1, width / window.stride + 1};
}

/// Makes one operation's shape; `where` names the layer.
struct ShapeInference {
  std::span<const Shape> inputs;
  const std::string& where;

  Shape operator()(const Conv2d& conv) const {
    const Shape& input = inputs[0];
    const std::int64_t columns = std::int64_t{input.channels} * conv.kernel_height * conv.kernel_width;
    if (conv.weights.cols() != columns) {
      throw input_error(
          where, fmt::format("found {} weights per output channel, expected {} ({} input channels x kernel "
                             "{} x {})",
                             conv.weights.cols(), columns, input.channels, conv.kernel_height, conv.kernel_width));
    }
    return slide({conv.kernel_height, conv.kernel_width, conv.stride, conv.padding}, input,
                 static_cast<int>(conv.weights.rows()), where);
  }
  Shape operator()(const Linear& linear) const {
    const Shape input = vector();
    if (linear.weights.cols() != input.channels) {
      throw input_error(where, fmt::format("found {} weights per output, expected {}, one per input",
                                           linear.weights.cols(), input.channels));
    }
    return {static_cast<int>(linear.weights.rows()), 1, 1};
  }
  Shape operator()(const Relu&) const { return inputs[0]; }
  Shape operator()(const MaxPool2d& pool) const { return pooled(pool); }
  Shape operator()(const AvgPool2d& pool) const { return pooled(pool); }
  Shape operator()(const GlobalAvgPool&) const { return {inputs[0].channels, 1, 1}; }
  Shape operator()(const Flatten&) const { return {static_cast<int>(inputs[0].size()), 1, 1}; }
  Shape operator()(const Add&) const {
    if (inputs[0] != inputs[1]) {
      throw input_error(where,
                        "found inputs of " + text(inputs[0]) + " and " + text(inputs[1]) + ", expected equal ones");
    }
    return inputs[0];
  }
  Shape operator()(const Softmax&) const { return vector(); }

  Shape vector() const {
    if (inputs[0].height != 1 || inputs[0].width != 1) {
      throw input_error(where, "found an input of " + text(inputs[0]) + ", expected a vector: put a flatten before it");
    }
    return inputs[0];
  }
  template <class Pool>
  Shape pooled(const Pool& pool) const {
    return slide({pool.size, pool.size, pool.stride, pool.padding}, inputs[0], inputs[0].channels, where);
  }
};

}  // namespace

Shape output_shape(const Operation& operation, std::span<const Shape> inputs, const std::string& where) {
  const std::size_t expected = std::holds_alternative<Add>(operation) ? 2 : 1;
  if (inputs.size() != expected) {
    throw input_error(where, fmt::format("found {} inputs, expected {}", inputs.size(), expected));
  }
  return std::visit(ShapeInference{inputs, where}, operation);
}

std::vector<MatrixLayer> matrix_layers(const Network& network) {
  std::vector<MatrixLayer> found;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    const auto add = [&](const auto& operation, int mvms, bool convolution) {
      found.push_back({static_cast<int>(i), layer.name, static_cast<int>(operation.weights.cols()),
                       static_cast<int>(operation.weights.rows()), mvms, convolution, !operation.bias.empty()});
    };
    if (const auto* conv = std::get_if<Conv2d>(&layer.operation)) {
      add(*conv, layer.output.height * layer.output.width, true);
    } else if (const auto* linear = std::get_if<Linear>(&layer.operation)) {
      add(*linear, 1, false);
    }
  }
  return found;
}

}  // namespace crossgrid
