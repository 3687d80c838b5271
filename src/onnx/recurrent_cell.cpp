#include "crossgrid/onnx/recurrent_cell.hpp"

#include <algorithm>

namespace crossgrid {

double RecurrentCell::activate(std::size_t which, double x) const {
  return activations[which](std::clamp(x, -clip, clip));
}

void RecurrentCell::reset_state(std::span<const double> values, std::span<const double> state,
                                std::span<double> to) const {
  for (std::size_t j = 0; j < hidden; ++j) to[j] = activate(0, values[j]) * state[j];
}

void RecurrentCell::step(std::span<const double> values, std::span<double> state, std::span<double> cells) const {
  switch (kind) {
    case RecurrentKind::rnn:
      for (std::size_t j = 0; j < hidden; ++j) state[j] = activate(0, values[j]);
      break;
    case RecurrentKind::gru:
      gru_step(values, state);
      break;
    case RecurrentKind::lstm:
      lstm_step(values, state, cells);
      break;
  }
}

void RecurrentCell::gru_step(std::span<const double> values, std::span<double> state) const {
  enum Block : std::size_t { reset, update, from_x, from_h };
  const auto value = [&](Block block, std::size_t j) { return values[block * hidden + j]; };
  for (std::size_t j = 0; j < hidden; ++j) {
    const double scale = linear_before_reset ? activate(0, value(reset, j)) : 1;
    const double proposed = activate(1, value(from_x, j) + scale * value(from_h, j));
    const double kept = activate(0, value(update, j));
    state[j] = (1 - kept) * proposed + kept * state[j];
  }
}

void RecurrentCell::lstm_step(std::span<const double> values, std::span<double> state, std::span<double> cells) const {
  enum Block : std::size_t { input, output, forget, content };
  for (std::size_t j = 0; j < hidden; ++j) {
    double& cell = cells[j];
    const auto opened = [&](Block gate) {
      const double seen = peepholes.empty() ? 0 : peepholes[gate * hidden + j] * cell;
      return activate(0, values[gate * hidden + j] + seen);
    };
    const double in = opened(input);
    const double kept = input_forget ? 1 - in : opened(forget);
    cell = kept * cell + in * activate(1, values[content * hidden + j]);
    state[j] = opened(output) * activations[2](cell);
  }
}

}  // namespace crossgrid
