#include "crossgrid/network/execution_graph.hpp"

#include <algorithm>

#include "crossgrid/base/error.hpp"

namespace crossgrid {

namespace {

template <class Kind>
bool is(const Layer& layer) {
  return std::holds_alternative<Kind>(layer.operation);
}

bool single_pixel(const Shape& shape) {
  return shape.height == 1 && shape.width == 1;
}

/// How many layers read each layer's output.
std::vector<int> readers(const Network& network) {
  std::vector<int> count(network.layers.size(), 0);
  for (const Layer& layer : network.layers) {
    for (const int source : layer.inputs) {
      if (source >= 0) ++count[static_cast<std::size_t>(source)];
    }
  }
  return count;
}

class GraphBuilder {
 public:
  explicit GraphBuilder(const Network& network) : network_(network), readers_(readers(network)) {
    graph_.tensors.push_back({network.input, 0, -1, {}});
    tensor_of_.resize(network.layers.size(), -1);
  }

  ExecutionGraph build() {
    for (std::size_t k = 0; k < network_.layers.size(); ++k) add(static_cast<int>(k));
    graph_.logits = tensor_of_.back();
    find_chains();
    assign_slots();
    return std::move(graph_);
  }

 private:
  int tensor(int source) const { return source < 0 ? 0 : tensor_of_[static_cast<std::size_t>(source)]; }

  /// The step whose output a clamp may change in place of its own step: the only reader's.
  ExecutionStep* step_to_fuse(const Layer& layer) {
    const int source = layer.inputs.front();
    if (source < 0 || readers_[static_cast<std::size_t>(source)] != 1) return nullptr;
    for (ExecutionStep& step : graph_.steps) {
      if (step.output == tensor(source)) return &step;
    }
    return nullptr;
  }

  void add(int index) {
    const Layer& layer = network_.layers[static_cast<std::size_t>(index)];
    int& output = tensor_of_[static_cast<std::size_t>(index)];
    const bool last = index + 1 == static_cast<int>(network_.layers.size());
    const bool same_values = is<Flatten>(layer) && single_pixel(input_shape(network_, layer));
    if (same_values || (last && is<Softmax>(layer))) {
      output = tensor(layer.inputs.front());
      return;
    }
    if (const auto* clamp = std::get_if<Clamp>(&layer.operation)) {
      ExecutionStep* const step = step_to_fuse(layer);
      if (step != nullptr && step->clamp == no_clamp) {
        step->clamp = *clamp;
        output = step->output;
        return;
      }
    }
    ExecutionStep step;
    step.layer = index;
    for (const int source : layer.inputs) step.inputs.push_back(tensor(source));
    step.input = input_shape(network_, layer);
    step.output = output = static_cast<int>(graph_.tensors.size());
    if (is<Conv2d>(layer) || is<Linear>(layer) || is<Recurrent>(layer)) step.matrix = matrices_++;
    graph_.tensors.push_back({layer.output, 0, static_cast<int>(graph_.steps.size()), {}});
    for (const int input : step.inputs) {
      graph_.tensors[static_cast<std::size_t>(input)].consumers.push_back(static_cast<int>(graph_.steps.size()));
    }
    graph_.steps.push_back(std::move(step));
  }

  /// Convolutions one after the other, of which each is the only reader of the last one's output. Tensors that a chain
  /// reads live to its end, so that its convolutions may run by turns: three of them are what bounds that memory.
  void find_chains() {
    constexpr std::size_t longest = 3;
    const auto is_link = [&](const ExecutionStep& step) {
      return is<Conv2d>(network_.layers[static_cast<std::size_t>(step.layer)]);
    };
    const auto hands_on = [&](const ExecutionStep& step, const ExecutionStep& next) {
      const ActivationTensor& between = graph_.tensors[static_cast<std::size_t>(step.output)];
      return is_link(step) && is_link(next) && next.inputs.front() == step.output && between.consumers.size() == 1 &&
             step.output != graph_.logits && next.input == between.shape;
    };
    for (std::size_t first = 0, end = 0; first < graph_.steps.size(); first = end) {
      for (end = first + 1; end < graph_.steps.size() && end < first + longest; ++end) {
        if (!hands_on(graph_.steps[end - 1], graph_.steps[end])) break;
      }
      for (std::size_t k = first; k < end; ++k) graph_.steps[k].chain_end = static_cast<int>(end) - 1;
    }
  }

  /// First fit over the tensors' lives.
  void assign_slots() {
    std::vector<int> free_after;  // by slot: the last step that reads what it holds
    const auto last_use = [&](int t) {
      const ActivationTensor& tensor = graph_.tensors[static_cast<std::size_t>(t)];
      if (t == graph_.logits) return static_cast<int>(graph_.steps.size());
      return tensor.consumers.empty() ? -1 : graph_.steps[static_cast<std::size_t>(tensor.consumers.back())].chain_end;
    };
    const auto place = [&](int t, int step) {
      ActivationTensor& tensor = graph_.tensors[static_cast<std::size_t>(t)];
      std::size_t slot = 0;
      while (slot < free_after.size() && free_after[slot] >= step) ++slot;
      if (slot == free_after.size()) {
        free_after.push_back(0);
        graph_.slots.push_back(0);
      }
      free_after[slot] = std::max(last_use(t), step);
      graph_.slots[slot] = std::max(graph_.slots[slot], tensor.shape.size());
      tensor.slot = static_cast<int>(slot);
    };
    place(0, 0);
    for (std::size_t k = 0; k < graph_.steps.size(); ++k) place(graph_.steps[k].output, static_cast<int>(k));
  }

  const Network& network_;
  std::vector<int> readers_;
  std::vector<int> tensor_of_;  ///< by layer
  int matrices_ = 0;
  ExecutionGraph graph_;
};

}  // namespace

ExecutionGraph make_execution_graph(const Network& network) {
  if (network.layers.empty()) throw Error(ExitCode::bad_input, "network '" + network.name + "' has no layers");
  return GraphBuilder(network).build();
}

ConvolutionShape layer_geometry(const Network& network, int index) {
  const Layer& layer = network.layers[static_cast<std::size_t>(index)];
  ConvolutionShape geometry;
  if (const auto* conv = std::get_if<Conv2d>(&layer.operation)) {
    const Shape& input = input_shape(network, layer);
    geometry.in_channels = input.channels, geometry.height = input.height, geometry.width = input.width;
    geometry.out_channels = static_cast<int>(conv->weights.rows());
    geometry.groups = conv->groups, geometry.window = conv->window;
  } else {
    const Matrix& weights = layer_weights(layer);
    geometry.in_channels = static_cast<int>(weights.cols());
    geometry.out_channels = static_cast<int>(weights.rows());
    if (const auto* recurrent = std::get_if<Recurrent>(&layer.operation)) geometry.width = recurrent->sequences;
  }
  return geometry;
}

const Matrix& layer_weights(const Layer& layer) {
  if (const auto* conv = std::get_if<Conv2d>(&layer.operation)) return conv->weights;
  if (const auto* recurrent = std::get_if<Recurrent>(&layer.operation)) return recurrent->weights;
  return std::get<Linear>(layer.operation).weights;
}

const std::vector<float>& layer_bias(const Layer& layer) {
  if (const auto* conv = std::get_if<Conv2d>(&layer.operation)) return conv->bias;
  if (const auto* recurrent = std::get_if<Recurrent>(&layer.operation)) return recurrent->bias;
  return std::get<Linear>(layer.operation).bias;
}

}  // namespace crossgrid
