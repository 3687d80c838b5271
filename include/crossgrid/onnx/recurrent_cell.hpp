#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "crossgrid/onnx/recurrent_activation.hpp"

namespace crossgrid {

enum class RecurrentKind { rnn, gru, lstm };

/// A step of one direction of ONNX's RNN, GRU or LSTM, all but its products: W x + Wb and R h + Rb come in blocks of
/// `hidden` values, their sums but where said.
/// RNN: one. LSTM: input, output, forget, content. GRU: reset, update, new from x (W x + Wb), new from h (R h + Rb).
struct RecurrentCell {
  RecurrentKind kind = RecurrentKind::rnn;
  std::size_t hidden = 0;
  std::vector<RecurrentActivation> activations;  ///< as the node lists them
  std::vector<double> peepholes;                 ///< LSTM: input, output, forget, `hidden` each; or empty
  double clip = std::numeric_limits<double>::infinity();
  bool input_forget = false;         ///< LSTM
  bool linear_before_reset = false;  ///< GRU

  std::size_t blocks() const { return kind == RecurrentKind::rnn ? 1 : 4; }
  /// How many products a step takes, one after the other. Two: what the last block is the product of, reset_state(),
  /// follows from the others.
  int products() const { return kind == RecurrentKind::gru && !linear_before_reset ? 2 : 1; }
  /// The values that product k is taken for: from the first one to before the second.
  std::pair<std::size_t, std::size_t> values_of(int product) const {
    const std::size_t first = products() > 1 ? 3 * hidden : blocks() * hidden;
    return product == 0 ? std::pair{std::size_t{0}, first} : std::pair{first, blocks() * hidden};
  }
  /// GRU: to = reset * state. values: blocks() * hidden.
  void reset_state(std::span<const double> values, std::span<const double> state, std::span<double> to) const;
  /// Takes the state (and the cells of an LSTM) one step further. values: blocks() * hidden.
  void step(std::span<const double> values, std::span<double> state, std::span<double> cells) const;

 private:
  double activate(std::size_t which, double x) const;
  void gru_step(std::span<const double> values, std::span<double> state) const;
  void lstm_step(std::span<const double> values, std::span<double> state, std::span<double> cells) const;
};

}  // namespace crossgrid
