#include "crossgrid/sweep/effective_hardware.hpp"

#include "crossgrid/circuit/circuit_adc.hpp"
#include "crossgrid/core/partition.hpp"

namespace crossgrid {

namespace {

/// Different limits may split a matrix the same way: 40 and 36 rows both make two arrays of 36 of 72. The smallest
/// limit stands for all.
void name_split(int size, std::optional<int>& limit, PartitionRule& rule) {
  if (!limit) {
    return;
  }
  const auto parts = partition(size, limit, rule);
  const int largest = parts.front().count;
  if (partition(size, largest, PartitionRule::equal) == parts) {
    limit = largest;
    rule = PartitionRule::equal;
  }
}

/// One pass over a group's rows: what is inert gets its default. True where something changed.
bool drop_inert(LayerHardware& hardware, const MatrixLayer& layer, ParameterGroup group) {
  bool changed = false;
  for (const Parameter& row : parameters()) {
    if (row.group == group && row.inert && row.get(hardware) != row.fallback && !row.inert(hardware, layer).empty()) {
      row.set(hardware, row.fallback);
      changed = true;
    }
  }
  return changed;
}

}  // namespace

LayerHardware effective_hardware(LayerHardware hardware, const MatrixLayer& layer, ParameterGroup group) {
  if (!hardware.analog) {
    LayerHardware digital;
    digital.analog = false;
    return digital;
  }
  // A dropped parameter may have been what another one needed.
  while (drop_inert(hardware, layer, group)) {
  }
  if (group == ParameterGroup::rows) {
    name_split(layer.rows, hardware.array.rows_max, hardware.array.rows_partition);
  } else if (group == ParameterGroup::cols) {
    name_split(layer.cols, hardware.array.cols_max, hardware.array.cols_partition);
  }
  return hardware;
}

LayerHardware effective_hardware(LayerHardware hardware, const MatrixLayer& layer) {
  for (int group = 1; group < parameter_group_count; ++group) {
    hardware = effective_hardware(hardware, layer, static_cast<ParameterGroup>(group));
  }
  return hardware;
}

std::string impossible_hardware(const LayerHardware& hardware) {
  if (!hardware.analog) {
    return "";
  }
  if (hardware.core.style == CoreStyle::offset && hardware.device.cell_bits == 1) {
    return "core.style \"offset\" needs device.cell_bits >= 2: its cells use 2^bits - 1 levels";
  }
  if (hardware.device.faults.stuck_on + hardware.device.faults.stuck_off > 1) {
    return "device.faults.stuck_on and stuck_off are fractions of the same cells: their sum must not exceed 1";
  }
  if (hardware.dac.range == RangeRule::fixed && hardware.dac.sign == DacSign::is_unsigned &&
      hardware.dac.fixed_range.low < 0) {
    return "dac.signed false contradicts a dac.range that goes below 0";
  }
  const AdcConfig& adc = hardware.adc;
  if (adc.model == ConverterModel::levels && adc.levels.levels.empty() && !adc.levels.lloyd_max) {
    return "adc.model \"levels\" needs adc.levels: a list of fractions of the range, \"lloyd_max\" or a file";
  }
  if (adc.model == ConverterModel::table && adc.table.value.empty()) {
    return "adc.model \"table\" needs adc.table: a file of value,mean,sigma";
  }
  return "";
}

bool draws_random_numbers(const LayerHardware& hardware) {
  return hardware.analog && (hardware.device.random() || adc_draws(hardware.adc));
}

bool draws_random_numbers(const LayerHardware& hardware, ParameterGroup group) {
  const DeviceConfig& device = hardware.device;
  switch (group) {
    case ParameterGroup::errors:
      return hardware.analog && (device.programming_error.active() || device.read_noise.active());
    case ParameterGroup::faults:
      return hardware.analog && device.faults.active();
    case ParameterGroup::converters:
      return hardware.analog && adc_draws(hardware.adc);
    default:
      return false;
  }
}

bool needs_calibration(const LayerHardware& hardware) {
  if (!hardware.analog) {
    return false;
  }
  const bool adc_works = hardware.adc.model != ConverterModel::ideal;
  const bool adc_calibrated = adc_works && hardware.adc.range == RangeRule::calibrated;
  // The scale of ideal inputs is seen by an ADC whose range or table is in cell currents.
  const bool in_currents = adc_works && (!adc_calibrated || hardware.adc.model == ConverterModel::table);
  const bool scale_matters = hardware.dac.model != ConverterModel::ideal || in_currents;
  const bool fits_levels = hardware.adc.model == ConverterModel::levels && hardware.adc.levels.lloyd_max;
  return adc_calibrated || fits_levels || (scale_matters && hardware.dac.range == RangeRule::calibrated);
}

}  // namespace crossgrid
