#include "model_grids.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "crossgrid/network/execution_graph.hpp"

namespace crossgrid {

namespace {

/// Operators whose outputs are values of their first input. Padding is of zeros, which every grid holds.
bool keeps_values(const std::string& op) {
  static const std::set<std::string> all{"DepthToSpace", "Dropout", "Expand",  "Flatten",   "Gather",
                                         "Identity",     "MaxPool", "Reshape", "Slice",     "SpaceToDepth",
                                         "Split",        "Squeeze", "Tile",    "Transpose", "Unsqueeze"};
  return all.contains(op);
}

/// The DequantizeLinear that a value comes from; null: none.
const OnnxNode* dequantizer(const std::string& name, const OnnxMakers& makers) {
  for (auto maker = makers.find(name); maker != makers.end(); maker = makers.find(maker->second->input(0))) {
    if (maker->second->op == "DequantizeLinear") return maker->second;
    if (!keeps_values(maker->second->op) || !maker->second->has_input(0)) return nullptr;
  }
  return nullptr;
}

/// Lowest and highest integers of a type; nothing for wide ones.
std::optional<std::pair<int, int>> integers_of(ElementType type) {
  switch (type) {
    case ElementType::uint8:
      return std::pair(0, 255);
    case ElementType::int8:
      return std::pair(-128, 127);
    case ElementType::uint16:
      return std::pair(0, 65535);
    case ElementType::int16:
      return std::pair(-32768, 32767);
    default:
      return std::nullopt;
  }
}

/// The type of a DequantizeLinear's integers; without a zero point that of its input, which QuantizeLinear makes bytes.
std::optional<ElementType> integer_type(const OnnxNode& node, const OnnxMakers& makers, const OnnxConstants& constant) {
  if (node.has_input(2)) {
    const OnnxTensor* const zero_point = constant(node.input(2));
    return zero_point != nullptr ? std::optional(zero_point->type()) : std::nullopt;
  }
  if (const OnnxTensor* const integers = constant(node.input(0))) return integers->type();
  const auto maker = makers.find(node.input(0));
  const bool bytes = maker != makers.end() && maker->second->op == "QuantizeLinear" && !maker->second->has_input(2);
  return bytes ? std::optional(ElementType::uint8) : std::nullopt;
}

/// Nothing where scales differ or are not known.
std::optional<QuantizedGrid> grid_of(const OnnxNode& node, const OnnxMakers& makers, const OnnxConstants& constant) {
  const OnnxTensor* const scale = constant(node.input(1));
  const auto type = integer_type(node, makers, constant);
  const auto integers = type ? integers_of(*type) : std::nullopt;
  if (scale == nullptr || !integers) return std::nullopt;
  const auto only = [](const OnnxTensor& tensor) -> std::optional<double> {
    const std::vector<double> values = tensor.as_reals();
    const bool same = std::ranges::all_of(values, [&](double value) { return value == values.front(); });
    return !values.empty() && same ? std::optional(values.front()) : std::nullopt;
  };
  const auto step = only(*scale);
  const auto zero_point = node.has_input(2) ? only(*constant(node.input(2))) : std::optional(0.0);
  if (!step || !(*step > 0) || !std::isfinite(*step) || !zero_point) return std::nullopt;
  return QuantizedGrid{*step, static_cast<int>(*zero_point), integers->first, integers->second};
}

/// Whether all weights are integers times the scale.
bool holds(const QuantizedGrid& grid, const Matrix& weights) {
  return std::all_of(weights.data(), weights.data() + weights.size(), [&](float weight) {
    const double q = static_cast<double>(weight) / grid.scale;
    return std::abs(q - std::nearbyint(q)) < 1e-3 && q > grid.low - 0.5 && q < grid.high + 0.5;
  });
}

}  // namespace

ModelGrids model_grids(const OnnxNode& product, const OnnxMakers& makers, const OnnxConstants& constant) {
  ModelGrids grids;
  for (std::size_t k = 0; k < 2 && k < product.inputs.size(); ++k) {
    const OnnxNode* const from = dequantizer(product.inputs[k], makers);
    if (from == nullptr) continue;
    const auto grid = grid_of(*from, makers, constant);
    if (constant(product.inputs[k]) == nullptr) {
      grids.inputs = grid;
    } else if (grid && grid->zero_point == 0) {
      grids.weights = grid;
    } else {
      grids.weights_by_channel = !grid;
    }
  }
  return grids;
}

void drop_left_grids(Network& network) {
  for (Layer& layer : network.layers) {
    if (layer.grids.weights && !holds(*layer.grids.weights, layer_weights(layer))) layer.grids.weights.reset();
  }
}

}  // namespace crossgrid
