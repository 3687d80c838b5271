#include "crossgrid/sweep/effective_hardware.hpp"

#include <fmt/format.h>

#include "crossgrid/core/partition.hpp"
#include "crossgrid/device/device_validity.hpp"

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

namespace {

std::string impossible_levels(const DeviceConfig& device) {
  if (device.levels.empty()) {
    return "";
  }
  if (device.cell_bits) {
    return "device.levels and device.cell_bits both say which levels a cell has: leave one out";
  }
  if (device.levels.front() < device.g_min() * (1 - 1e-9)) {
    return fmt::format("device.levels begins at {}, below Gmin = {} (1 / device.on_off_ratio)",
                       shortest_number(device.levels.front()), shortest_number(device.g_min()));
  }
  return "";
}

/// A map of faults is that of one array.
std::string impossible_map(const LayerHardware& hardware, const MatrixLayer& layer) {
  const auto& map = hardware.device.faults.map;
  if (!map) {
    return "";
  }
  if (map->rows != layer.rows || map->cols != layer.cols) {
    return fmt::format("device.faults.map is for {} x {} cells, but the layer has {} rows and {} columns", map->rows,
                       map->cols, layer.rows, layer.cols);
  }
  const int planes = hardware.core.style == CoreStyle::balanced ? 2 : 1;
  if (map->planes != 1 && map->planes != planes) {
    return fmt::format("device.faults.map has {} planes of cells, expected 1, or {} with core.style \"{}\"",
                       map->planes, planes, planes == 2 ? "balanced" : "offset");
  }
  if (hardware.array.rows_max || hardware.array.cols_max) {
    return "device.faults.map is that of one array, but array.rows_max or cols_max split the layer over several";
  }
  return "";
}

}  // namespace

std::string impossible_hardware(const LayerHardware& hardware, const MatrixLayer& layer) {
  if (!hardware.analog) {
    return "";
  }
  for (const std::string& problem :
       {device_problem(hardware.device), impossible_levels(hardware.device), impossible_map(hardware, layer)}) {
    if (!problem.empty()) {
      return problem;
    }
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
  return "";
}

bool draws_random_numbers(const LayerHardware& hardware) {
  return hardware.analog && hardware.device.random();
}

bool draws_random_numbers(const LayerHardware& hardware, ParameterGroup group) {
  const DeviceConfig& device = hardware.device;
  switch (group) {
    case ParameterGroup::errors:
      return hardware.analog && device.errors();
    case ParameterGroup::faults:
      return hardware.analog && device.faults.active();
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
  // The scale of ideal inputs is seen by an ADC whose range is in cell currents.
  const bool scale_matters = hardware.dac.model != ConverterModel::ideal || (adc_works && !adc_calibrated);
  return adc_calibrated || (scale_matters && hardware.dac.range == RangeRule::calibrated);
}

}  // namespace crossgrid
