#include <algorithm>
#include <span>

#include "crossgrid/onnx/recurrent_node.hpp"
#include "index_sources.hpp"
#include "operator_checks.hpp"

namespace crossgrid {
namespace {

using Numbers = std::vector<double>;

std::size_t place(std::int64_t k) {
  return static_cast<std::size_t>(k);
}

/// The input with its batch, where that is first, behind the next axis.
OnnxTensor batch_second(const OnnxTensor& tensor, bool batch_first) {
  constexpr std::size_t order[] = {1, 0, 2};
  return batch_first && tensor.rank() == 3 ? transposed(tensor, order) : tensor;
}

/// A row of a matrix times a vector, and its bias.
double product(const Numbers& matrix, const Numbers& bias, std::size_t row, std::span<const double> x) {
  double sum = bias[row];
  for (std::size_t k = 0; k < x.size(); ++k) sum += matrix[row * x.size() + k] * x[k];
  return sum;
}

/// The products of a step as the cell takes them.
class StepProducts {
 public:
  explicit StepProducts(const RecurrentDirection& way) : way_(way), values_(way.cell.blocks() * way.cell.hidden) {}

  const Numbers& of(std::span<const double> x, const Numbers& state) {
    const RecurrentCell& cell = way_.cell;
    for (std::size_t j = 0; j < cell.hidden; ++j) {
      if (cell.kind == RecurrentKind::gru) {
        enum Gate : std::size_t { update, reset, proposed };
        values_[j] = both(reset, j, x, state);
        values_[cell.hidden + j] = both(update, j, x, state);
        values_[2 * cell.hidden + j] = product(way_.of_input, way_.input_bias, row(proposed, j), x);
        values_[3 * cell.hidden + j] = product(way_.of_hidden, way_.hidden_bias, row(proposed, j), state);
      } else {
        for (std::size_t gate = 0; gate < cell.blocks(); ++gate) values_[row(gate, j)] = both(gate, j, x, state);
      }
    }
    if (cell.products() == 1) return values_;
    Numbers kept(cell.hidden);
    cell.reset_state(values_, state, kept);
    for (std::size_t j = 0; j < cell.hidden; ++j) {
      values_[3 * cell.hidden + j] = product(way_.of_hidden, way_.hidden_bias, row(2, j), kept);
    }
    return values_;
  }

 private:
  std::size_t row(std::size_t gate, std::size_t unit) const { return gate * way_.cell.hidden + unit; }
  double both(std::size_t gate, std::size_t unit, std::span<const double> x, const Numbers& state) const {
    return product(way_.of_input, way_.input_bias, row(gate, unit), x) +
           product(way_.of_hidden, way_.hidden_bias, row(gate, unit), state);
  }

  const RecurrentDirection& way_;
  Numbers values_;
};

/// All steps of all directions: Y, Y_h (and Y_c), steps first.
struct Run {
  Numbers outputs, states, cells;
};

void run_sequence(const RecurrentNode& read, std::size_t direction, std::int64_t sequence, const Numbers& x, Run& run) {
  const RecurrentDirection& way = read.directions[direction];
  const auto first = static_cast<std::int64_t>(direction) * read.batch + sequence;
  const auto state_in = [&](auto& all, std::int64_t k) { return all.begin() + k * read.hidden; };
  Numbers state(state_in(way.state, sequence), state_in(way.state, sequence + 1));
  Numbers cells(state_in(way.cells, sequence), state_in(way.cells, sequence + 1));
  StepProducts products(way);
  const std::int64_t length = read.lengths[place(sequence)];
  const auto directions = static_cast<std::int64_t>(read.directions.size());
  for (std::int64_t k = 0; k < length; ++k) {
    const std::int64_t step = way.reverse ? length - 1 - k : k;
    const auto inputs = std::span(x).subspan(place((step * read.batch + sequence) * read.inputs), place(read.inputs));
    way.cell.step(products.of(inputs, state), state, cells);
    std::ranges::copy(state, state_in(run.outputs, step * directions * read.batch + first));
  }
  std::ranges::copy(state, state_in(run.states, first));
  std::ranges::copy(cells, state_in(run.cells, first));
}

std::vector<OnnxTensor> recurrent(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& given = real_input(node, inputs, 0);
  const RecurrentNode read = read_recurrent_node(node, given.dims(), inputs);
  const Numbers x = batch_second(given, read.batch_first).as_reals();
  const auto d = static_cast<std::int64_t>(read.directions.size());
  const Extents state{d, read.batch, read.hidden}, dims{read.steps, d, read.batch, read.hidden};
  Run run;
  run.outputs.assign(place(element_count(dims)), 0.0);
  run.states.resize(place(element_count(state)));
  run.cells.resize(run.states.size());
  for (std::size_t way = 0; way < read.directions.size(); ++way) {
    for (std::int64_t sequence = 0; sequence < read.batch; ++sequence) run_sequence(read, way, sequence, x, run);
  }
  const auto type = common_type({&given, inputs[1], inputs[2], optional_input(inputs, 3), optional_input(inputs, 5)});
  std::vector<OnnxTensor> results;
  const OnnxTensor outputs = OnnxTensor::of_reals(type, dims, std::move(run.outputs));
  constexpr std::size_t order[] = {2, 0, 1, 3};
  results.push_back(read.batch_first ? transposed(outputs, order) : outputs);
  results.push_back(batch_second(OnnxTensor::of_reals(type, state, std::move(run.states)), read.batch_first));
  if (read.kind == RecurrentKind::lstm) {
    results.push_back(batch_second(OnnxTensor::of_reals(type, state, std::move(run.cells)), read.batch_first));
  }
  return results;
}

}  // namespace

void add_recurrent_operators(OnnxOperators& operators) {
  for (const char* const name : {"GRU", "LSTM", "RNN"}) operators[name] = recurrent;
}

}  // namespace crossgrid
