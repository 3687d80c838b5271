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

double WeightMapping::largest_digit() const {
  return static_cast<double>((1 << slice_bits) - 1);
}

CellTargets WeightMapping::operator()(double weight, int slice) const {
  double w = std::clamp(weight / limit, -1.0, 1.0);
  CellTargets targets;
  if (slices > 1) {
    const int k = static_cast<int>(round_half_even(w * weight_steps));
    const bool balanced = style == CoreStyle::balanced;
    const int code = balanced ? std::abs(k) : k + static_cast<int>(weight_steps) + 1;
    const int digit = (code >> (slice * slice_bits)) & ((1 << slice_bits) - 1);
    const double g = g_base + g_range * digit / largest_digit();
    targets = balanced && k < 0 ? CellTargets{g_base, g} : CellTargets{g, g_base};
  } else {
    if (weight_steps > 0) w = round_half_even(w * weight_steps) / weight_steps;
    if (style == CoreStyle::balanced && two_sided) {
      targets = {g_base + g_range * (1 + w) / 2, g_base + g_range * (1 - w) / 2};
    } else if (style == CoreStyle::balanced) {
      targets = {g_base + g_range * std::max(w, 0.0), g_base + g_range * std::max(-w, 0.0)};
    } else {
      targets.plus = g_base + g_range * (w + 1) / 2;
    }
  }
  if (levels) targets = {(*levels)(targets.plus), (*levels)(targets.minus)};
  if (!own_levels.empty()) {
    targets = {nearest_level(own_levels, targets.plus), nearest_level(own_levels, targets.minus)};
  }
  return targets;
}

double WeightMapping::output_scale(int slice) const {
  if (slices > 1) return limit * largest_digit() * std::ldexp(1.0, slice * slice_bits) / (weight_steps * g_range);
  return (style == CoreStyle::balanced ? 1 : 2) * limit / g_range;
}

double WeightMapping::offset_coefficient() const {
  if (style == CoreStyle::balanced || unit_column) return 0;
  if (slices == 1) return output_scale() * (g_base + g_range / 2);
  double coefficient = limit * (weight_steps + 1) / weight_steps;
  for (int slice = 0; slice < slices; ++slice) coefficient += output_scale(slice) * g_base;
  return coefficient;
}

double WeightMapping::conductance_step() const {
  double step = 0;
  if (slices > 1) {
    step = g_range / largest_digit();
  } else if (weight_steps > 0) {
    step = g_range / (style == CoreStyle::balanced ? weight_steps : 2 * weight_steps);
  }
  return levels ? std::max(step, (1 - levels->g_min) / levels->steps) : step;
}

WeightMapping make_weight_mapping(const Matrix& weights, const LayerHardware& hardware) {
  if (!weights.allFinite()) throw Error(ExitCode::bad_input, "a layer's weights must be finite, found NaN or infinity");
  WeightMapping mapping;
  const CoreConfig& core = hardware.core;
  const double g_min = hardware.device.g_min();
  mapping.style = core.style;
  mapping.two_sided = core.two_sided;
  mapping.unit_column = core.style == CoreStyle::offset && core.unit_column;
  mapping.limit = weight_limit(weights, core.clip);
  if (core.weight_bits) mapping.weight_steps = static_cast<double>((1 << (*core.weight_bits - 1)) - 1);
  mapping.slices = core.slices;
  if (core.slices > 1) mapping.slice_bits = bits_per_slice(core);
  mapping.g_base = g_min;
  mapping.g_range = 1 - g_min;
  mapping.own_levels = hardware.device.levels;
  if (hardware.device.cell_bits) {
    const double steps = static_cast<double>((1 << *hardware.device.cell_bits) - 1);
    mapping.levels = ConductanceLevels<double>{g_min, steps};
    if (mapping.style == CoreStyle::offset && core.slices == 1) {
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

int bits_per_slice(const CoreConfig& core) {
  const int bits = core.weight_bits.value(), slices = core.slices;
  if (bits % slices == 0) return bits / slices;
  const int held = core.style == CoreStyle::balanced ? bits - 1 : bits;
  return (held + slices - 1) / slices;
}

Matrix with_bias_rows(const Matrix& weights, const std::vector<float>& bias, int rows) {
  if (rows == 0) return weights;
  Matrix all(weights.rows(), weights.cols() + rows);
  all.leftCols(weights.cols()) = weights;
  for (Eigen::Index j = 0; j < weights.rows(); ++j) {
    const float share = bias.empty() ? 0 : bias[static_cast<std::size_t>(j)] / static_cast<float>(rows);
    all.row(j).rightCols(rows).setConstant(share);
  }
  return all;
}

}  // namespace crossgrid
