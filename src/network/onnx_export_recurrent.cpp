#include <cmath>
#include <utility>

#include "onnx_export_graph.hpp"

namespace crossgrid {
namespace {

using Reals = std::vector<float>;

/// ONNX's gates, each with the layer's block that it is of the inputs and of the state.
std::vector<std::pair<int, int>> gates_of(const RecurrentCell& cell) {
  if (cell.kind == RecurrentKind::rnn) return {{0, 0}};
  if (cell.kind == RecurrentKind::lstm) return {{0, 0}, {1, 1}, {2, 2}, {3, 3}};
  return {{1, 1}, {0, 0}, {2, 3}};  // update, reset, new
}

class RecurrentExport {
 public:
  RecurrentExport(OnnxExportGraph& graph, const Layer& layer, const Recurrent& recurrent)
      : graph_(graph),
        layer_(layer),
        recurrent_(recurrent),
        hidden_(static_cast<std::int64_t>(recurrent.cell.hidden)),
        steps_(recurrent.steps),
        sequences_(recurrent.sequences) {}

  ExportedValue run() {
    OnnxNode node;
    const bool lstm = recurrent_.cell.kind == RecurrentKind::lstm, gru = recurrent_.cell.kind == RecurrentKind::gru;
    node.op = lstm ? "LSTM" : gru ? "GRU" : "RNN";
    node.inputs = {sequence(),
                   weights("input_weight", 0, recurrent_.inputs()),
                   weights("state_weight", recurrent_.inputs(), static_cast<int>(hidden_)),
                   bias(),
                   "",
                   state("state", recurrent_.state)};
    if (lstm) {
      node.inputs.push_back(state("cells", recurrent_.cells));
      if (!recurrent_.cell.peepholes.empty()) node.inputs.push_back(peepholes());
    }
    node.attributes = activation_attributes(recurrent_.cell.activations);
    node.attributes["hidden_size"] = hidden_;
    node.attributes["direction"] = std::string(recurrent_.reverse ? "reverse" : "forward");
    if (std::isfinite(recurrent_.cell.clip)) node.attributes["clip"] = static_cast<float>(recurrent_.cell.clip);
    if (recurrent_.cell.input_forget) node.attributes["input_forget"] = std::int64_t{1};
    if (recurrent_.cell.linear_before_reset) node.attributes["linear_before_reset"] = std::int64_t{1};
    // Outputs beside the first, which add_main() names: as they are called here.
    node.outputs = {"states", "last_state"};
    if (lstm) node.outputs.emplace_back("last_cells");
    graph_.add_main(layer_, std::move(node), 0);
    const std::vector<std::string>& made = graph_.last_outputs();
    std::vector<std::string> parts{graph_.reshaped(layer_, made[0], {}, {steps_, sequences_, hidden_})};
    parts.insert(parts.end(), made.begin() + 1, made.end());
    const std::string all = graph_.add_helper(layer_, "Concat", parts, {{"axis", std::int64_t{0}}});
    const Extents dims{1, (steps_ + static_cast<std::int64_t>(parts.size()) - 1) * sequences_, hidden_};
    return {graph_.reshaped(layer_, all, {}, dims), dims, false};
  }

 private:
  /// [steps, sequences, inputs]: of what the layer sees, the steps that it takes.
  std::string sequence() {
    const std::int64_t inputs = recurrent_.inputs();
    const ExportedValue& from = graph_.value(layer_.inputs.front());
    const std::int64_t all = element_count(from.dims) / (sequences_ * inputs);
    const ExportedValue memory = graph_.as_memory(layer_, from, {1, all * sequences_, inputs});
    std::string name = graph_.reshaped(layer_, memory.name, {}, {all, sequences_, inputs});
    if (all == steps_) return name;
    return graph_.add_helper(layer_, "Slice",
                             {name, graph_.add_integers(layer_, "first", {0}),
                              graph_.add_integers(layer_, "end", {steps_}), graph_.add_integers(layer_, "axis", {0})});
  }

  std::string constant(const std::string& kind, Extents dims, Reals values) {
    return graph_.add_constant(layer_, kind, OnnxTensor::of_floats(std::move(dims), std::move(values)));
  }

  /// [1, gates x hidden, columns] of the inputs or of the state.
  std::string weights(const std::string& kind, int first, int columns) {
    Reals values;
    const auto gates = gates_of(recurrent_.cell);
    for (const auto& [of_inputs, of_state] : gates) {
      const Eigen::Index block = first == 0 ? of_inputs : of_state;
      const Matrix own = recurrent_.weights.block(block * hidden_, first, hidden_, columns);
      values.insert(values.end(), own.data(), own.data() + own.size());
    }
    return constant(kind, {1, static_cast<std::int64_t>(gates.size()) * hidden_, columns}, std::move(values));
  }

  /// [1, 2 gates x hidden]: the inputs' has all of it, but where the state's product has one of its own.
  std::string bias() {
    Reals of_inputs, of_state;
    const auto gates = gates_of(recurrent_.cell);
    const auto block = [&](int which) {
      const auto first = recurrent_.bias.begin() + which * hidden_;
      return Reals(first, first + hidden_);
    };
    for (const auto& [inputs_block, state_block] : gates) {
      const Reals own = block(inputs_block), other = block(state_block);
      of_inputs.insert(of_inputs.end(), own.begin(), own.end());
      if (inputs_block == state_block) {
        of_state.insert(of_state.end(), own.size(), 0.0f);
      } else {
        of_state.insert(of_state.end(), other.begin(), other.end());
      }
    }
    of_inputs.insert(of_inputs.end(), of_state.begin(), of_state.end());
    const auto size = static_cast<std::int64_t>(of_inputs.size());
    return constant("bias", {1, size}, std::move(of_inputs));
  }

  std::string state(const std::string& kind, const std::vector<double>& values) {
    return constant(kind, {1, sequences_, hidden_}, Reals(values.begin(), values.end()));
  }

  std::string peepholes() {
    const std::vector<double>& values = recurrent_.cell.peepholes;
    return constant("peepholes", {1, 3 * hidden_}, Reals(values.begin(), values.end()));
  }

  OnnxExportGraph& graph_;
  const Layer& layer_;
  const Recurrent& recurrent_;
  std::int64_t hidden_, steps_, sequences_;
};

}  // namespace

ExportedValue export_recurrent(OnnxExportGraph& graph, const Layer& layer, const Recurrent& recurrent) {
  return RecurrentExport(graph, layer, recurrent).run();
}

}  // namespace crossgrid
