#include "crossgrid/onnx/recurrent_node.hpp"

#include <fmt/format.h>

#include <span>

#include "index_sources.hpp"
#include "operator_checks.hpp"

namespace crossgrid {
namespace {

using Numbers = std::vector<double>;

std::size_t place(std::int64_t k) {
  return static_cast<std::size_t>(k);
}

struct Kind {
  RecurrentKind kind;
  std::int64_t gates;
  std::vector<std::string> activations;
};

Kind kind_of(const OnnxNode& node) {
  if (node.op == "LSTM") return {RecurrentKind::lstm, 4, {"Sigmoid", "Tanh", "Tanh"}};
  if (node.op == "GRU") return {RecurrentKind::gru, 3, {"Sigmoid", "Tanh"}};
  return {RecurrentKind::rnn, 1, {"Tanh"}};
}

std::size_t count_directions(const OnnxNode& node) {
  const std::string text = node.text("direction", "forward");
  if (text == "bidirectional") return 2;
  if (text == "forward" || text == "reverse") return 1;
  throw node.error(fmt::format("has direction '{}', expected forward, reverse or bidirectional", text));
}

void read_sizes(const OnnxNode& node, const Kind& kind, Extents x, OnnxInputs inputs, RecurrentNode& read) {
  const OnnxTensor &w = real_input(node, inputs, 1), &r = real_input(node, inputs, 2);
  if (read.batch_first && x.size() == 3) std::swap(x[0], x[1]);
  if (x.size() != 3 || w.rank() != 3 || r.rank() != 3) {
    throw node.error(fmt::format("inputs are {}, {} and {}, expected three axes each", extents_text(x),
                                 extents_text(w.dims()), extents_text(r.dims())));
  }
  read.steps = x[0], read.batch = x[1], read.inputs = x[2];
  read.hidden = r.dims()[2];
  if (const std::int64_t given = node.integer("hidden_size", read.hidden); given != read.hidden || given < 1) {
    throw node.error(
        fmt::format("has hidden_size {}, expected that of its recurrent weights ({}), 1 or more", given, read.hidden));
  }
  const auto directions = static_cast<std::int64_t>(count_directions(node));
  checked_size(node, x);
  checked_size(node, r.dims());
  check_dims(node, w, {directions, kind.gates * read.hidden, read.inputs}, "input 1 (W)");
  check_dims(node, r, {directions, kind.gates * read.hidden, read.hidden}, "input 2 (R)");
  checked_size(node, w.dims());
  const std::int64_t outputs = checked_size(node, {read.steps, directions, read.batch, read.hidden});
  check_work(node, outputs, kind.gates * (read.inputs + read.hidden));
}

/// An optional input's numbers, of an expected shape; zeros where it is left out.
Numbers numbers_or_zeros(const OnnxNode& node, OnnxInputs inputs, std::size_t k, const Extents& dims,
                         bool batch_first) {
  if (!optional_input(inputs, k)) return Numbers(place(checked_size(node, dims)), 0.0);
  const OnnxTensor& tensor = real_input(node, inputs, k);
  constexpr std::size_t order[] = {1, 0, 2};
  const OnnxTensor given = batch_first && tensor.rank() == 3 ? transposed(tensor, order) : tensor;
  check_dims(node, given, dims, fmt::format("input {}", k).c_str());
  return given.as_reals();
}

std::vector<std::int64_t> sequence_lengths(const OnnxNode& node, OnnxInputs inputs, const RecurrentNode& sizes) {
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

/// The k-th of equal parts.
Numbers part(const Numbers& all, std::size_t k, std::size_t parts) {
  const auto count = static_cast<std::ptrdiff_t>(all.size() / parts);
  const auto first = all.begin() + static_cast<std::ptrdiff_t>(k) * count;
  return {first, first + count};
}

RecurrentCell cell_of(const OnnxNode& node, RecurrentKind kind, std::int64_t hidden) {
  RecurrentCell cell;
  cell.kind = kind;
  cell.hidden = place(hidden);
  if (const double clip = node.number("clip", 0); clip > 0) cell.clip = clip;
  cell.linear_before_reset = kind == RecurrentKind::gru && node.integer("linear_before_reset", 0) != 0;
  cell.input_forget = kind == RecurrentKind::lstm && node.integer("input_forget", 0) != 0;
  return cell;
}

}  // namespace

RecurrentNode read_recurrent_node(const OnnxNode& node, const Extents& x, OnnxInputs inputs) {
  const Kind kind = kind_of(node);
  RecurrentNode read;
  read.kind = kind.kind;
  read.batch_first = node.integer("layout", 0) != 0;
  read_sizes(node, kind, x, inputs, read);
  const std::size_t count = count_directions(node);
  const auto d = static_cast<std::int64_t>(count);
  const std::vector<RecurrentActivation> activations = recurrent_activations(node, kind.activations, count);
  const bool lstm = kind.kind == RecurrentKind::lstm;
  const Numbers w = inputs[1]->as_reals(), r = inputs[2]->as_reals();
  const Numbers bias = numbers_or_zeros(node, inputs, 3, {d, 2 * kind.gates * read.hidden}, false);
  const Numbers peepholes =
      lstm && optional_input(inputs, 7) ? numbers_or_zeros(node, inputs, 7, {d, 3 * read.hidden}, false) : Numbers{};
  read.lengths = sequence_lengths(node, inputs, read);
  const Extents states{d, read.batch, read.hidden};
  const Numbers hidden = numbers_or_zeros(node, inputs, 5, states, read.batch_first);
  const Numbers cells =
      lstm ? numbers_or_zeros(node, inputs, 6, states, read.batch_first) : Numbers(hidden.size(), 0.0);
  const bool first_reverse = node.text("direction", "forward") == "reverse";
  for (std::size_t k = 0; k < count; ++k) {
    RecurrentDirection way;
    way.cell = cell_of(node, kind.kind, read.hidden);
    const auto first = activations.begin() + static_cast<std::ptrdiff_t>(k * kind.activations.size());
    way.cell.activations.assign(first, first + static_cast<std::ptrdiff_t>(kind.activations.size()));
    way.cell.peepholes = part(peepholes, k, count);
    way.reverse = k == 1 || first_reverse;
    way.of_input = part(w, k, count), way.of_hidden = part(r, k, count);
    way.input_bias = part(bias, 2 * k, 2 * count), way.hidden_bias = part(bias, 2 * k + 1, 2 * count);
    way.state = part(hidden, k, count), way.cells = part(cells, k, count);
    read.directions.push_back(std::move(way));
  }
  return read;
}

}  // namespace crossgrid
