#pragma once

#include <optional>
#include <vector>

#include "crossgrid/network/network.hpp"
#include "crossgrid/onnx/onnx_operators.hpp"

namespace crossgrid {

/// An RNN, GRU or LSTM node as layers, one per direction.
struct RecurrentLayers {
  std::vector<Recurrent> directions;
  bool batch_first = false;
  std::int64_t steps = 0;  ///< of the node's input: those behind the sequences' ends are not looked at
  Shape view;              ///< how the layers see it
  std::vector<int> order;  ///< its dimensions in memory
  Extents dims;            ///< what each layer makes: rows of sequences x hidden
};

/// x: extents of the node's first input; inputs: constants, the first one left out. Nothing where the node can't be
/// such layers: its sequences have different lengths, or no steps. Error(bad_input) names the node.
std::optional<RecurrentLayers> recurrent_layers(const OnnxNode& node, const Extents& x, OnnxInputs inputs);

/// One of the node's outputs, made of those of the layers.
struct RecurrentOutput {
  Rearrange copies;
  Extents dims;
  std::vector<int> order;
};
/// output: 0 (Y), 1 (Y_h) or 2 (Y_c).
RecurrentOutput recurrent_output(const RecurrentLayers& layers, std::size_t output);

}  // namespace crossgrid
