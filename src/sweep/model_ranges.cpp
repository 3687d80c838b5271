#include "crossgrid/sweep/model_ranges.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace crossgrid {

namespace {

Interval input_range(const QuantizedGrid& grid, ConverterModel model) {
  const Interval range{grid.smallest(), grid.largest()};
  const bool symmetric = model == ConverterModel::sign_magnitude || model == ConverterModel::pulse_width;
  const double limit = std::min(-range.low, range.high);
  return symmetric && limit > 0 ? Interval{-limit, limit} : range;
}

template <class Has>
std::string layers_that_have(const std::vector<MatrixLayer>& layers, const Has& has) {
  std::vector<std::string> names;
  for (const MatrixLayer& layer : layers) {
    if (has(layer.grids)) {
      names.push_back(layer.name);
    }
  }
  return names.empty() ? "it has them for no layer" : fmt::format("it has them for {}", fmt::join(names, ", "));
}

}  // namespace

void take_model_ranges(LayerHardware& hardware, const MatrixLayer& layer) {
  if (hardware.dac.range == RangeRule::from_model && layer.grids.inputs) {
    hardware.dac.range = RangeRule::fixed;
    hardware.dac.fixed_range = input_range(*layer.grids.inputs, hardware.dac.model);
  }
  hardware.core.column_scales.clear();
  if (hardware.core.clip.rule == WeightClip::Rule::from_model && layer.grids.weights) {
    hardware.core.clip.value = layer.grids.weights->largest();
    hardware.core.column_scales = layer.grids.weight_factors;
    if (layer.grids.weight_factors.empty()) {
      hardware.core.clip.rule = WeightClip::Rule::limit;
    }
  }
}

std::vector<Impossible> model_range_problems(const LayerHardware& hardware, const MatrixLayer& layer,
                                             const std::vector<MatrixLayer>& layers) {
  std::vector<Impossible> found;
  if (!hardware.analog) {
    return found;
  }
  if (hardware.dac.range == RangeRule::from_model) {
    found.push_back({fmt::format("dac.range \"from_model\": the model gives the layer's inputs no scale "
                                 "(DequantizeLinear of one scale in front of it); {}",
                                 layers_that_have(layers, [](const ModelGrids& g) { return g.inputs.has_value(); })),
                     {"dac.range"}});
  }
  if (hardware.core.clip.rule == WeightClip::Rule::from_model && !layer.grids.weights) {
    const char* const why = layer.grids.other_scales
                                ? "the model gives the layer's weights several scales, but not one for each output"
                                : "the model gives the layer's weights no scale (DequantizeLinear of integers with "
                                  "a zero point of 0)";
    found.push_back({fmt::format("core.clip \"from_model\": {}; {}", why,
                                 layers_that_have(layers, [](const ModelGrids& g) { return g.weights.has_value(); })),
                     {"core.clip"}});
  }
  return found;
}

}  // namespace crossgrid
