#pragma once

#include <cstdint>
#include <vector>

#include "crossgrid/onnx/onnx_operators.hpp"
#include "crossgrid/onnx/recurrent_cell.hpp"

namespace crossgrid {

/// One direction of a recurrent node. Weights and biases have a row for each unit of each gate, gates as ONNX orders
/// them (RNN: one; GRU: update, reset, new; LSTM: input, output, forget, content).
struct RecurrentDirection {
  RecurrentCell cell;
  bool reverse = false;
  std::vector<double> of_input;                 ///< W: rows x inputs
  std::vector<double> of_hidden;                ///< R: rows x hidden
  std::vector<double> input_bias, hidden_bias;  ///< Wb, Rb; zeros where left out
  std::vector<double> state, cells;             ///< initial ones: batch x hidden
};

/// An RNN, GRU or LSTM node with what it is given besides its sequences.
struct RecurrentNode {
  RecurrentKind kind = RecurrentKind::rnn;
  std::int64_t steps = 0, batch = 0, inputs = 0, hidden = 0;
  bool batch_first = false;           ///< sequences, results and states are batch x ...; else steps x batch, states
                                      ///< directions x batch
  std::vector<std::int64_t> lengths;  ///< of each sequence of the batch: steps that it has
  std::vector<RecurrentDirection> directions;
};

/// x: extents of input 0, whose values are not looked at: inputs[0] may be null. Error(bad_input) names the node.
RecurrentNode read_recurrent_node(const OnnxNode& node, const Extents& x, OnnxInputs inputs);

}  // namespace crossgrid
