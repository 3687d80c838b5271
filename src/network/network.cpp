#include "crossgrid/network/network.hpp"

#include <fmt/format.h>

#include <cstdint>

#include "crossgrid/base/error.hpp"

namespace crossgrid {
namespace {

std::string text(const Shape& shape) {
  return fmt::format("{} x {} x {} (channels x height x width)", shape.channels, shape.height, shape.width);
}

std::string padding_text(const Window& window) {
  const WindowAxis &y = window.vertical, &x = window.horizontal;
  if (y.before == y.after && y.before == x.before && y.before == x.after) return std::to_string(y.before);
  return fmt::format("{}, {} above and below, {}, {} at the sides", y.before, y.after, x.before, x.after);
}

Shape slide(const Window& window, const Shape& input, int channels, const std::string& where) {
  const WindowAxis &y = window.vertical, &x = window.horizontal;
  if (y.reach() > input.height + y.before + y.after || x.reach() > input.width + x.before + x.after) {
    throw input_error(where,
                      fmt::format("found a window of {} x {}, expected one no larger than its input of {} x {} with "
                                  "padding {}",
                                  y.reach(), x.reach(), input.height, input.width, padding_text(window)));
  }
  return {channels, y.windows(input.height), x.windows(input.width)};
}

/// Makes one operation's shape; `where` names the layer.
struct ShapeInference {
  std::span<const Shape> inputs;
  const std::string& where;

  Shape operator()(const Conv2d& conv) const {
    const Shape& input = inputs[0];
    if (conv.groups > 1 && (input.channels % conv.groups != 0 || conv.weights.rows() % conv.groups != 0)) {
      throw input_error(where, fmt::format("found {} groups, expected a divisor of its {} input and {} output channels",
                                           conv.groups, input.channels, conv.weights.rows()));
    }
    const int channels = input.channels / conv.groups;
    const std::int64_t columns = std::int64_t{channels} * conv.window.size();
    if (conv.weights.cols() != columns) {
      throw input_error(where, fmt::format("found {} weights per output channel, expected {} ({} input channels{} x "
                                           "kernel {} x {})",
                                           conv.weights.cols(), columns, channels, conv.groups > 1 ? " of a group" : "",
                                           conv.window.vertical.kernel, conv.window.horizontal.kernel));
    }
    return slide(conv.window, input, static_cast<int>(conv.weights.rows()), where);
  }
  Shape operator()(const Linear& linear) const {
    const Shape input = vector();
    if (linear.weights.cols() != input.channels) {
      throw input_error(where, fmt::format("found {} weights per output, expected {}, one per input",
                                           linear.weights.cols(), input.channels));
    }
    return {static_cast<int>(linear.weights.rows()), 1, 1};
  }
  Shape operator()(const Recurrent& recurrent) const {
    const Shape& input = inputs[0];
    const std::size_t pixels = static_cast<std::size_t>(input.height) * static_cast<std::size_t>(input.width);
    const int vectors = recurrent.steps * recurrent.sequences;
    if (input.channels != recurrent.inputs() || pixels < static_cast<std::size_t>(vectors)) {
      throw input_error(where, fmt::format("found an input of {}, expected {} steps of {} vectors of {} channels",
                                           text(input), recurrent.steps, recurrent.sequences, recurrent.inputs()));
    }
    const int last = recurrent.cell.kind == RecurrentKind::lstm ? 2 : 1;
    return {static_cast<int>(recurrent.cell.hidden), 1, vectors + last * recurrent.sequences};
  }
  Shape operator()(const Clamp&) const { return inputs[0]; }
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
  Shape operator()(const Softmax&) const { return inputs[0]; }
  Shape operator()(const ChannelAffine& affine) const {
    const auto channels = static_cast<std::size_t>(inputs[0].channels);
    if (affine.scale.size() != channels || affine.shift.size() != channels) {
      throw input_error(where, fmt::format("found {} scales and {} shifts, expected one for each of {} channels",
                                           affine.scale.size(), affine.shift.size(), channels));
    }
    return inputs[0];
  }
  Shape operator()(const Rearrange& rearrange) const { return rearrange.output; }
  Shape operator()(const TensorOperation& operation) const { return operation.output; }

  Shape vector() const {
    if (inputs[0].height != 1 || inputs[0].width != 1) {
      throw input_error(where, "found an input of " + text(inputs[0]) + ", expected a vector: put a flatten before it");
    }
    return inputs[0];
  }
  template <class Pool>
  Shape pooled(const Pool& pool) const {
    return slide(pool.window, inputs[0], inputs[0].channels, where);
  }
};

}  // namespace

Shape output_shape(const Operation& operation, std::span<const Shape> inputs, const std::string& where) {
  const bool any = std::holds_alternative<Rearrange>(operation) || std::holds_alternative<TensorOperation>(operation);
  const std::size_t expected = any ? inputs.size() : std::holds_alternative<Add>(operation) ? 2 : 1;
  if (inputs.size() != expected || inputs.empty()) {
    throw input_error(where, fmt::format("found {} inputs, expected {}", inputs.size(), expected));
  }
  return std::visit(ShapeInference{inputs, where}, operation);
}

const Shape& input_shape(const Network& network, const Layer& layer) {
  if (layer.input_view) return *layer.input_view;
  const int source = layer.inputs.front();
  return source < 0 ? network.input : network.layers[static_cast<std::size_t>(source)].output;
}

std::vector<MatrixLayer> matrix_layers(const Network& network) {
  std::vector<MatrixLayer> found;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    const auto add = [&](const auto& operation, int mvms, bool convolution, int groups) {
      found.push_back({static_cast<int>(i), layer.name, static_cast<int>(operation.weights.cols()) * groups,
                       static_cast<int>(operation.weights.rows()), mvms, convolution, !operation.bias.empty(), groups,
                       layer.output.height, layer.output.width, layer.grids});
    };
    if (const auto* conv = std::get_if<Conv2d>(&layer.operation)) {
      add(*conv, layer.output.height * layer.output.width, true, conv->groups);
    } else if (const auto* linear = std::get_if<Linear>(&layer.operation)) {
      add(*linear, 1, false, 1);
    } else if (const auto* recurrent = std::get_if<Recurrent>(&layer.operation)) {
      add(*recurrent, recurrent->mvms(), false, 1);
    }
  }
  return found;
}

}  // namespace crossgrid
