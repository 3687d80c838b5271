#include "crossgrid/core/weight_mapping.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "crossgrid/base/error.hpp"

namespace crossgrid {
namespace {

/// Quantile with linear interpolation between the order statistics around (n - 1) p.
double quantile(std::vector<float>& values, double p) {
  const double place = p * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(below);
  std::nth_element(values.begin(), at, values.end());
  const double low = *at;
  const double high = below + 1 < values.size() ? *std::min_element(at + 1, values.end()) : low;
  return low + (place - static_cast<double>(below)) * (high - low);
}

}  // namespace

double weight_limit(const Matrix& weights, const WeightClip& clip) {
  double limit = clip.value;
  if (weights.size() > 0 && clip.rule == WeightClip::Rule::factor) {
    limit = clip.value * static_cast<double>(weights.cwiseAbs().maxCoeff());
  } else if (weights.size() > 0 && clip.rule == WeightClip::Rule::quantile) {
    std::vector<float> values(weights.data(), weights.data() + weights.size());
    limit = std::max(std::abs(quantile(values, clip.value)), std::abs(quantile(values, 1 - clip.value)));
  }
  return limit > 0 ? limit : 1;
}

CellTargets WeightMapping::operator()(double weight) const {
  double w = std::clamp(weight / limit, -1.0, 1.0);
  if (weight_steps > 0) w = round_half_even(w * weight_steps) / weight_steps;
  CellTargets targets;
  if (style == CoreStyle::balanced && two_sided) {
    targets = {g_base + g_range * (1 + w) / 2, g_base + g_range * (1 - w) / 2};
  } else if (style == CoreStyle::balanced) {
    targets = {g_base + g_range * std::max(w, 0.0), g_base + g_range * std::max(-w, 0.0)};
  } else {
    targets.plus = g_base + g_range * (w + 1) / 2;
  }
  if (levels) targets = {(*levels)(targets.plus), (*levels)(targets.minus)};
  if (!own_levels.empty()) {
    targets = {nearest_level(own_levels, targets.plus), nearest_level(own_levels, targets.minus)};
  }
  return targets;
}

double WeightMapping::output_scale() const {
  return (style == CoreStyle::balanced ? 1 : 2) * limit / g_range;
}

double WeightMapping::offset_coefficient() const {
  return style == CoreStyle::balanced ? 0 : output_scale() * (g_base + g_range / 2);
}

WeightMapping make_weight_mapping(const Matrix& weights, const LayerHardware& hardware) {
  if (!weights.allFinite()) throw Error(ExitCode::bad_input, "a layer's weights must be finite, found NaN or infinity");
  WeightMapping mapping;
  const double g_min = hardware.device.g_min();
  mapping.style = hardware.core.style;
  mapping.two_sided = hardware.core.two_sided;
  mapping.limit = weight_limit(weights, hardware.core.clip);
  if (hardware.core.weight_bits)
    mapping.weight_steps = static_cast<double>((1 << (*hardware.core.weight_bits - 1)) - 1);
  mapping.g_base = g_min;
  mapping.g_range = 1 - g_min;
  mapping.own_levels = hardware.device.levels;
  if (hardware.device.cell_bits) {
    const double steps = static_cast<double>((1 << *hardware.device.cell_bits) - 1);
    mapping.levels = ConductanceLevels<double>{g_min, steps};
    if (mapping.style == CoreStyle::offset) {
      if (steps < 2) {
        throw Error(ExitCode::bad_input,
                    "core.style \"offset\" needs device.cell_bits of 2 or more: with 1 no level is left for "
                    "weight 0");
      }
      // One level fewer, so that w = 0 is a level.
      mapping.g_range = (1 - g_min) * (steps - 1) / steps;
      mapping.g_base = 1 - mapping.g_range;
    }
  }
  return mapping;
}

}  // namespace crossgrid
