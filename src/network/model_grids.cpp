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

/// A grid of the largest scale, and all scales over it; none where they are equal.
struct Grids {
  QuantizedGrid grid;
  std::vector<double> factors;
};

/// Nothing where scales are not known or zero points differ.
std::optional<Grids> grids_of(const OnnxNode& node, const OnnxMakers& makers, const OnnxConstants& constant) {
  const OnnxTensor* const scale = constant(node.input(1));
  const auto type = integer_type(node, makers, constant);
  const auto integers = type ? integers_of(*type) : std::nullopt;
  if (scale == nullptr || !integers) return std::nullopt;
  const auto all_equal = [](const std::vector<double>& values) {
    return std::ranges::all_of(values, [&](double value) { return value == values.front(); });
  };
  std::vector<double> steps = scale->as_reals();
  const auto usable = [](double step) { return step > 0 && std::isfinite(step); };
  const auto zero_points = node.has_input(2) ? constant(node.input(2))->as_reals() : std::vector{0.0};
  if (steps.empty() || !std::ranges::all_of(steps, usable) || zero_points.empty() || !all_equal(zero_points)) {
    return std::nullopt;
  }
  const double largest = std::ranges::max(steps);
  const QuantizedGrid grid{largest, static_cast<int>(zero_points.front()), integers->first, integers->second};
  if (all_equal(steps)) return Grids{grid, {}};
  for (double& step : steps) step /= largest;
  return Grids{grid, std::move(steps)};
}

/// Whether all weights (outputs x inputs) are integers times their output's scale.
bool holds(const QuantizedGrid& grid, const std::vector<double>& factors, const Matrix& weights) {
  if (!factors.empty() && static_cast<Eigen::Index>(factors.size()) != weights.rows()) return false;
  for (Eigen::Index output = 0; output < weights.rows(); ++output) {
    const double scale = grid.scale * (factors.empty() ? 1 : factors[static_cast<std::size_t>(output)]);
    for (const float weight : weights.row(output)) {
      const double q = static_cast<double>(weight) / scale;
      if (!(std::abs(q - std::nearbyint(q)) < 1e-3 && q > grid.low - 0.5 && q < grid.high + 0.5)) return false;
    }
  }
  return true;
}

}  // namespace

ModelGrids model_grids(const OnnxNode& product, const OnnxMakers& makers, const OnnxConstants& constant) {
  ModelGrids grids;
  for (std::size_t k = 0; k < 2 && k < product.inputs.size(); ++k) {
    const OnnxNode* const from = dequantizer(product.inputs[k], makers);
    if (from == nullptr) continue;
    const auto found = grids_of(*from, makers, constant);
    if (!found) continue;
    if (constant(product.inputs[k]) == nullptr) {
      if (found->factors.empty()) grids.inputs = found->grid;
    } else if (found->grid.zero_point == 0) {
      grids.weights = found->grid, grids.weight_factors = found->factors;
    }
  }
  return grids;
}

void drop_left_grids(Network& network) {
  for (Layer& layer : network.layers) {
    ModelGrids& grids = layer.grids;
    if (!grids.weights || holds(*grids.weights, grids.weight_factors, layer_weights(layer))) continue;
    grids.weights.reset();
    grids.other_scales = !grids.weight_factors.empty();
    grids.weight_factors.clear();
  }
}

}  // namespace crossgrid
