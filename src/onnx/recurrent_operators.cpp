#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "index_sources.hpp"
#include "operator_checks.hpp"
#include "recurrent_activation.hpp"

namespace crossgrid {
namespace {

using Numbers = std::vector<double>;

std::size_t place(std::int64_t k) {
  return static_cast<std::size_t>(k);
}

/// One direction's weights: gates x hidden rows each.
struct Direction {
  std::int64_t hidden = 0;
  std::span<const double> of_input, of_hidden;  ///< W, R
  Numbers input_bias, hidden_bias;              ///< zeros where left out
  std::span<const double> peepholes;            ///< input, output, forget; empty where left out
  const RecurrentActivation* activations = nullptr;
  double clip = std::numeric_limits<double>::infinity();
  bool option = false;  ///< GRU: linear_before_reset; LSTM: input_forget

  double activate(std::size_t which, double x) const { return activations[which](std::clamp(x, -clip, clip)); }
  /// W x + Wb and R h + Rb, of a unit of a gate.
  double from_input(std::int64_t gate, std::int64_t unit, std::span<const double> x) const {
    return product(of_input, input_bias, gate * hidden + unit, x);
  }
  double from_hidden(std::int64_t gate, std::int64_t unit, std::span<const double> h) const {
    return product(of_hidden, hidden_bias, gate * hidden + unit, h);
  }

 private:
  static double product(std::span<const double> matrix, const Numbers& bias, std::int64_t row,
                        std::span<const double> x) {
    double sum = bias[place(row)];
    for (std::size_t k = 0; k < x.size(); ++k) sum += matrix[place(row) * x.size() + k] * x[k];
    return sum;
  }
};

/// One step: the new hidden values (and cells).
using Cell = void (*)(const Direction&, std::span<const double> x, Numbers& hidden, Numbers& cells);

void plain_cell(const Direction& way, std::span<const double> x, Numbers& hidden, Numbers&) {
  const Numbers before = hidden;
  for (std::int64_t j = 0; j < way.hidden; ++j) {
    hidden[place(j)] = way.activate(0, way.from_input(0, j, x) + way.from_hidden(0, j, before));
  }
}

void gated_cell(const Direction& way, std::span<const double> x, Numbers& hidden, Numbers&) {
  const Numbers before = hidden;
  Numbers update(before.size()), reset(before.size()), kept(before.size());
  for (std::int64_t j = 0; j < way.hidden; ++j) {
    update[place(j)] = way.activate(0, way.from_input(0, j, x) + way.from_hidden(0, j, before));
    reset[place(j)] = way.activate(0, way.from_input(1, j, x) + way.from_hidden(1, j, before));
    kept[place(j)] = reset[place(j)] * before[place(j)];
  }
  for (std::int64_t j = 0; j < way.hidden; ++j) {
    const double recurrent = way.option ? reset[place(j)] * way.from_hidden(2, j, before) : way.from_hidden(2, j, kept);
    const double proposed = way.activate(1, way.from_input(2, j, x) + recurrent);
    hidden[place(j)] = (1 - update[place(j)]) * proposed + update[place(j)] * before[place(j)];
  }
}

void memory_cell(const Direction& way, std::span<const double> x, Numbers& hidden, Numbers& cells) {
  enum Gate { input, output, forget, content };
  const Numbers before = hidden;
  for (std::int64_t j = 0; j < way.hidden; ++j) {
    double& cell = cells[place(j)];
    const auto opened = [&](Gate gate) {
      const double seen = way.peepholes.empty() ? 0 : way.peepholes[place(gate * way.hidden + j)] * cell;
      return way.activate(0, way.from_input(gate, j, x) + way.from_hidden(gate, j, before) + seen);
    };
    const double in = opened(input);
    const double kept = way.option ? 1 - in : opened(forget);
    cell = kept * cell + in * way.activate(1, way.from_input(content, j, x) + way.from_hidden(content, j, before));
    hidden[place(j)] = opened(output) * way.activations[2](cell);
  }
}

struct Kind {
  Cell cell;
  std::int64_t gates;
  std::vector<std::string> activations;
  const char* option;
  bool has_cells;
};

struct Recurrence {
  std::int64_t steps = 0, batch = 0, inputs = 0, hidden = 0, directions = 1;
};

/// The input with its batch, where that is first, behind the next axis.
OnnxTensor batch_second(const OnnxTensor& tensor, bool batch_first) {
  constexpr std::size_t order[] = {1, 0, 2};
  return batch_first && tensor.rank() == 3 ? transposed(tensor, order) : tensor;
}

std::int64_t count_directions(const OnnxNode& node) {
  const std::string text = node.text("direction", "forward");
  if (text == "bidirectional") return 2;
  if (text == "forward" || text == "reverse") return 1;
  throw node.error(fmt::format("has direction '{}', expected forward, reverse or bidirectional", text));
}

Recurrence recurrence_of(const OnnxNode& node, const Kind& kind, OnnxInputs inputs, const OnnxTensor& x) {
  const OnnxTensor &w = real_input(node, inputs, 1), &r = real_input(node, inputs, 2);
  if (x.rank() != 3 || w.rank() != 3 || r.rank() != 3) {
    throw node.error(fmt::format("inputs are {}, {} and {}, expected three axes each", extents_text(x.dims()),
                                 extents_text(w.dims()), extents_text(r.dims())));
  }
  Recurrence sizes;
  sizes.steps = x.dims()[0], sizes.batch = x.dims()[1], sizes.inputs = x.dims()[2];
  sizes.hidden = r.dims()[2];
  sizes.directions = count_directions(node);
  if (const std::int64_t given = node.integer("hidden_size", sizes.hidden); given != sizes.hidden || given < 1) {
    throw node.error(
        fmt::format("has hidden_size {}, expected that of its recurrent weights ({}), 1 or more", given, sizes.hidden));
  }
  checked_size(node, x.dims());
  checked_size(node, r.dims());
  check_dims(node, w, {sizes.directions, kind.gates * sizes.hidden, sizes.inputs}, "input 1 (W)");
  check_dims(node, r, {sizes.directions, kind.gates * sizes.hidden, sizes.hidden}, "input 2 (R)");
  checked_size(node, w.dims());
  const std::int64_t outputs = checked_size(node, {sizes.steps, sizes.directions, sizes.batch, sizes.hidden});
  check_work(node, outputs, kind.gates * (sizes.inputs + sizes.hidden));
  return sizes;
}

/// An optional input's numbers, of an expected shape; zeros where it is left out.
Numbers numbers_or_zeros(const OnnxNode& node, OnnxInputs inputs, std::size_t k, const Extents& dims,
                         bool batch_first) {
  if (!optional_input(inputs, k)) return Numbers(place(checked_size(node, dims)), 0.0);
  const OnnxTensor given = batch_second(real_input(node, inputs, k), batch_first);
  check_dims(node, given, dims, fmt::format("input {}", k).c_str());
  return given.as_reals();
}

std::vector<std::int64_t> sequence_lengths(const OnnxNode& node, OnnxInputs inputs, const Recurrence& sizes) {
  if (!optional_input(inputs, 4)) return std::vector<std::int64_t>(place(sizes.batch), sizes.steps);
  const OnnxTensor& given = integer_input(node, inputs, 4);
  check_dims(node, given, {sizes.batch}, "input 4 (sequence_lens)");
  std::vector<std::int64_t> lengths = given.as_integers();
  for (const std::int64_t length : lengths) {
    if (length < 0 || length > sizes.steps) {
      throw node.error(fmt::format("has a sequence of {} steps, expected 0 to {}", length, sizes.steps));
    }
  }
  return lengths;
}

std::vector<Direction> directions_of(const OnnxNode& node, const Kind& kind, const Recurrence& sizes, const Numbers& w,
                                     const Numbers& r, const Numbers& bias, const Numbers& peepholes,
                                     const std::vector<RecurrentActivation>& activations) {
  std::vector<Direction> directions;
  const std::size_t rows = place(kind.gates * sizes.hidden);
  const auto part = [](const Numbers& all, std::size_t k, std::size_t count) {
    return std::span(all).subspan(k * count, count);
  };
  for (std::size_t k = 0; k < place(sizes.directions); ++k) {
    Direction way;
    way.hidden = sizes.hidden;
    way.of_input = part(w, k, rows * place(sizes.inputs));
    way.of_hidden = part(r, k, rows * place(sizes.hidden));
    const auto first = part(bias, 2 * k, rows), second = part(bias, 2 * k + 1, rows);
    way.input_bias.assign(first.begin(), first.end());
    way.hidden_bias.assign(second.begin(), second.end());
    if (!peepholes.empty()) way.peepholes = part(peepholes, k, 3 * place(sizes.hidden));
    way.activations = activations.data() + k * kind.activations.size();
    if (const double clip = node.number("clip", 0); clip > 0) way.clip = clip;
    way.option = node.integer(kind.option, 0) != 0;
    directions.push_back(std::move(way));
  }
  return directions;
}

/// All steps of all directions: Y, Y_h (and Y_c), steps first.
struct Run {
  Numbers outputs, hidden, cells;
};

void run_sequence(const Recurrence& sizes, const Cell cell, const Direction& way, std::int64_t direction, bool reverse,
                  std::int64_t image, std::int64_t length, const Numbers& x, Run& run) {
  const auto state = [&](Numbers& all) { return all.begin() + (direction * sizes.batch + image) * sizes.hidden; };
  Numbers hidden(state(run.hidden), state(run.hidden) + sizes.hidden);
  Numbers cells(state(run.cells), state(run.cells) + sizes.hidden);
  for (std::int64_t k = 0; k < length; ++k) {
    const std::int64_t step = reverse ? length - 1 - k : k;
    cell(way, std::span(x).subspan(place((step * sizes.batch + image) * sizes.inputs), place(sizes.inputs)), hidden,
         cells);
    std::ranges::copy(
        hidden, run.outputs.begin() + ((step * sizes.directions + direction) * sizes.batch + image) * sizes.hidden);
  }
  std::ranges::copy(hidden, state(run.hidden));
  std::ranges::copy(cells, state(run.cells));
}

std::vector<OnnxTensor> recurrent(const OnnxNode& node, const Kind& kind, OnnxInputs inputs) {
  const bool batch_first = node.integer("layout", 0) != 0;
  const OnnxTensor x = batch_second(real_input(node, inputs, 0), batch_first);
  const Recurrence sizes = recurrence_of(node, kind, inputs, x);
  const std::int64_t d = sizes.directions, h = sizes.hidden;
  const std::vector<RecurrentActivation> activations = recurrent_activations(node, kind.activations, place(d));
  const Numbers w = inputs[1]->as_reals(), r = inputs[2]->as_reals();
  const Numbers bias = numbers_or_zeros(node, inputs, 3, {d, 2 * kind.gates * h}, false);
  const Numbers peepholes =
      kind.has_cells && optional_input(inputs, 7) ? numbers_or_zeros(node, inputs, 7, {d, 3 * h}, false) : Numbers{};
  const std::vector<std::int64_t> lengths = sequence_lengths(node, inputs, sizes);
  const Extents state{d, sizes.batch, h}, dims{sizes.steps, d, sizes.batch, h};
  Run run;
  run.outputs.assign(place(element_count(dims)), 0.0);
  run.hidden = numbers_or_zeros(node, inputs, 5, state, batch_first);
  run.cells = kind.has_cells ? numbers_or_zeros(node, inputs, 6, state, batch_first) : Numbers(run.hidden.size(), 0.0);
  const auto ways = directions_of(node, kind, sizes, w, r, bias, peepholes, activations);
  const Numbers values = x.as_reals();
  const bool first_reverse = node.text("direction", "forward") == "reverse";
  for (std::int64_t way = 0; way < d; ++way) {
    for (std::int64_t image = 0; image < sizes.batch; ++image) {
      run_sequence(sizes, kind.cell, ways[place(way)], way, way == 1 || first_reverse, image, lengths[place(image)],
                   values, run);
    }
  }
  const auto type = common_type({&x, inputs[1], inputs[2], optional_input(inputs, 3), optional_input(inputs, 5)});
  std::vector<OnnxTensor> results;
  const OnnxTensor outputs = OnnxTensor::of_reals(type, dims, std::move(run.outputs));
  constexpr std::size_t order[] = {2, 0, 1, 3};
  results.push_back(batch_first ? transposed(outputs, order) : outputs);
  results.push_back(batch_second(OnnxTensor::of_reals(type, state, std::move(run.hidden)), batch_first));
  if (kind.has_cells) {
    results.push_back(batch_second(OnnxTensor::of_reals(type, state, std::move(run.cells)), batch_first));
  }
  return results;
}

std::vector<OnnxTensor> rnn(const OnnxNode& node, OnnxInputs inputs) {
  return recurrent(node, {plain_cell, 1, {"Tanh"}, "", false}, inputs);
}
std::vector<OnnxTensor> gru(const OnnxNode& node, OnnxInputs inputs) {
  return recurrent(node, {gated_cell, 3, {"Sigmoid", "Tanh"}, "linear_before_reset", false}, inputs);
}
std::vector<OnnxTensor> lstm(const OnnxNode& node, OnnxInputs inputs) {
  return recurrent(node, {memory_cell, 4, {"Sigmoid", "Tanh", "Tanh"}, "input_forget", true}, inputs);
}

}  // namespace

void add_recurrent_operators(OnnxOperators& operators) {
  operators["GRU"] = gru;
  operators["LSTM"] = lstm;
  operators["RNN"] = rnn;
}

}  // namespace crossgrid
