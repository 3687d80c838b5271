#include "crossgrid/core/conversion_scheme.hpp"

#include <fmt/format.h>

#include <vector>

#include "crossgrid/circuit/input_slices.hpp"

namespace crossgrid {

ConversionScheme conversion_scheme(const LayerHardware& hardware, NoisePath noise) {
  const CoreConfig& core = hardware.core;
  const bool adc = hardware.adc.model != ConverterModel::ideal;
  const bool limited = hardware.array.column_current_max.has_value();
  const bool cells = noise == NoisePath::per_cell;
  const bool circuits = hardware.solves_circuits();
  const bool nonlinear = circuits || hardware.device.iv != IvModel::linear;
  const bool balanced = core.style == CoreStyle::balanced;
  ConversionScheme scheme;
  scheme.rows = adc || limited || circuits || noise != NoisePath::none;
  scheme.unit_columns = !balanced && core.unit_column && (scheme.rows || nonlinear);
  // Slices' noise adds up like their currents, but not where a unit column's noise is common to all outputs.
  scheme.slices = core.slices > 1 && (adc || limited || cells || nonlinear || scheme.unit_columns);
  scheme.inputs =
      input_slices(hardware.dac).count > 1 && (limited || cells || nonlinear || (adc && hardware.adc.per_input_slice));
  scheme.sides = balanced && !core.interleaved && (limited || (adc && core.subtract == Subtraction::digital));
  scheme.net_converter = scheme.sides && core.subtract == Subtraction::analog;
  return scheme;
}

ConversionCount brute_force_count(const LayerHardware& hardware) {
  return {hardware.core.slices, input_slices(hardware.dac).count, hardware.core.style == CoreStyle::balanced ? 2 : 1};
}

ConversionCount scheme_count(const LayerHardware& hardware, const ConversionScheme& scheme) {
  const ConversionCount all = brute_force_count(hardware);
  return {scheme.slices ? all.slices : 1, scheme.inputs ? all.inputs : 1, scheme.sides ? 2 : 1};
}

std::string scheme_text(const LayerHardware& hardware, const ConversionScheme& scheme) {
  const ConversionCount all = brute_force_count(hardware);
  std::vector<std::string> apart, collapsed, parts;
  const auto say = [&](bool is_apart, int count, const char* what) {
    if (count > 1) (is_apart ? apart : collapsed).push_back(fmt::format("{} {}", count, what));
  };
  say(scheme.slices, all.slices, "weight slices");
  say(scheme.inputs, all.inputs, "input slices");
  if (scheme.sides) say(true, all.sides, "sides");
  if (!apart.empty()) parts.push_back(fmt::format("{} apart", fmt::join(apart, " x ")));
  if (!collapsed.empty()) parts.push_back(fmt::format("{} in one product", fmt::join(collapsed, ", ")));
  if (scheme.net_converter) parts.emplace_back("one converter after the subtraction");
  if (scheme.unit_columns) parts.emplace_back("unit columns among the outputs");
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace crossgrid
