#include "onnx_recurrent.hpp"

#include <algorithm>

#include "crossgrid/onnx/recurrent_node.hpp"
#include "onnx_value.hpp"

namespace crossgrid {
namespace {

/// Puts gates of a node into the blocks of a layer's matrix.
class MatrixBuilder {
 public:
  MatrixBuilder(const RecurrentDirection& way, Eigen::Index inputs)
      : way_(way),
        inputs_(inputs),
        hidden_(static_cast<Eigen::Index>(way.cell.hidden)),
        weights_(Matrix::Zero(static_cast<Eigen::Index>(way.cell.blocks()) * hidden_, inputs + hidden_)),
        bias_(static_cast<std::size_t>(weights_.rows()), 0.0) {}

  void add_input(Eigen::Index block, Eigen::Index gate) {
    for (Eigen::Index j = 0; j < hidden_; ++j) {
      const Eigen::Index row = block * hidden_ + j, from = gate * hidden_ + j;
      for (Eigen::Index k = 0; k < inputs_; ++k) weights_(row, k) = at(way_.of_input, from * inputs_ + k);
      bias_[static_cast<std::size_t>(row)] += way_.input_bias[static_cast<std::size_t>(from)];
    }
  }
  void add_hidden(Eigen::Index block, Eigen::Index gate) {
    for (Eigen::Index j = 0; j < hidden_; ++j) {
      const Eigen::Index row = block * hidden_ + j, from = gate * hidden_ + j;
      for (Eigen::Index k = 0; k < hidden_; ++k) weights_(row, inputs_ + k) = at(way_.of_hidden, from * hidden_ + k);
      bias_[static_cast<std::size_t>(row)] += way_.hidden_bias[static_cast<std::size_t>(from)];
    }
  }
  void add(Eigen::Index block, Eigen::Index gate) {
    add_input(block, gate);
    add_hidden(block, gate);
  }
  const Matrix& weights() const { return weights_; }
  std::vector<float> bias() const { return {bias_.begin(), bias_.end()}; }

 private:
  static float at(const std::vector<double>& values, Eigen::Index k) {
    return static_cast<float>(values[static_cast<std::size_t>(k)]);
  }

  const RecurrentDirection& way_;
  Eigen::Index inputs_, hidden_;
  Matrix weights_;
  std::vector<double> bias_;
};

Recurrent layer_of(const RecurrentDirection& way, std::int64_t inputs) {
  MatrixBuilder matrix(way, static_cast<Eigen::Index>(inputs));
  if (way.cell.kind == RecurrentKind::gru) {
    enum Gate : Eigen::Index { update, reset, proposed };
    matrix.add(0, reset);
    matrix.add(1, update);
    matrix.add_input(2, proposed);
    matrix.add_hidden(3, proposed);
  } else {
    for (Eigen::Index gate = 0; gate < static_cast<Eigen::Index>(way.cell.blocks()); ++gate) matrix.add(gate, gate);
  }
  Recurrent layer;
  layer.cell = way.cell;
  layer.weights = matrix.weights();
  layer.bias = matrix.bias();
  layer.reverse = way.reverse;
  layer.state = way.state;
  if (way.cell.kind == RecurrentKind::lstm) layer.cells = way.cells;
  return layer;
}

}  // namespace

std::optional<RecurrentLayers> recurrent_layers(const OnnxNode& node, const Extents& x, OnnxInputs inputs) {
  const RecurrentNode read = read_recurrent_node(node, x, inputs);
  const std::vector<std::int64_t>& lengths = read.lengths;
  if (lengths.empty() || lengths.front() == 0) return std::nullopt;
  if (std::ranges::any_of(lengths, [&](std::int64_t length) { return length != lengths.front(); })) return std::nullopt;
  RecurrentLayers layers;
  layers.batch_first = read.batch_first;
  layers.steps = read.steps;
  layers.view = {static_cast<int>(read.inputs), 1, static_cast<int>(read.steps * read.batch)};
  layers.order = read.batch_first ? std::vector<int>{1, 0, 2} : row_major_order(3);
  for (const RecurrentDirection& way : read.directions) {
    Recurrent layer = layer_of(way, read.inputs);
    layer.steps = static_cast<int>(lengths.front());
    layer.sequences = static_cast<int>(read.batch);
    layers.directions.push_back(std::move(layer));
  }
  const std::int64_t last = read.kind == RecurrentKind::lstm ? 2 : 1;
  layers.dims = {lengths.front() + last, read.batch, read.hidden};
  return layers;
}

RecurrentOutput recurrent_output(const RecurrentLayers& layers, std::size_t output) {
  const Recurrent& first = layers.directions.front();
  const auto directions = static_cast<std::int32_t>(layers.directions.size());
  const auto state = static_cast<std::int32_t>(first.state.size());
  const std::int64_t d = directions, batch = first.sequences, hidden = layers.dims.back();
  RecurrentOutput made;
  std::vector<Rearrange::Run>& runs = made.copies.runs;
  if (output == 0) {
    for (std::int32_t step = 0; step < first.steps; ++step) {
      for (std::int32_t way = 0; way < directions; ++way) runs.push_back({way, step * state, state});
    }
    if (directions == 1) runs = {{0, 0, first.steps * state}};
    const auto behind = static_cast<std::int32_t>(layers.steps) - first.steps;
    if (behind > 0) runs.push_back({-1, 0, behind * directions * state});
    // Memory is steps x directions x batch x hidden, whichever the layout.
    made.dims = {layers.steps, d, batch, hidden};
    made.order = row_major_order(4);
    if (layers.batch_first) made.dims = {batch, layers.steps, d, hidden}, made.order = {1, 2, 0, 3};
  } else {
    const std::int32_t row = first.steps + static_cast<std::int32_t>(output) - 1;
    for (std::int32_t way = 0; way < directions; ++way) runs.push_back({way, row * state, state});
    made.dims = {d, batch, hidden};
    made.order = row_major_order(3);
    if (layers.batch_first) made.dims = {batch, d, hidden}, made.order = {1, 0, 2};
  }
  made.copies.output = memory_shape(made.dims, made.order);
  return made;
}

}  // namespace crossgrid
