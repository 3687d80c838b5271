#include "crossgrid/sweep/effective_hardware.hpp"

#include <fmt/format.h>

#include "crossgrid/circuit/circuit_adc.hpp"
#include "crossgrid/core/partition.hpp"
#include "crossgrid/device/device_validity.hpp"
#include "crossgrid/network/calibration.hpp"
#include "crossgrid/network/matrix_plan.hpp"
#include "crossgrid/network/window_tiles.hpp"
#include "crossgrid/sweep/model_ranges.hpp"

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
  if (partition(size, largest, {}) == parts) {
    limit = largest;
    rule = {};
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
  take_model_ranges(hardware, layer);
  // A dropped parameter may have been what another one needed.
  while (drop_inert(hardware, layer, group)) {
  }
  if (group == ParameterGroup::rows) {
    name_split(matrix_rows(layer, hardware), hardware.array.rows_max, hardware.array.rows_partition);
  } else if (group == ParameterGroup::cols) {
    name_split(matrix_cols(layer, hardware), hardware.array.cols_max, hardware.array.cols_partition);
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

using Found = std::vector<Impossible>;

void check_weight_slices(const CoreConfig& core, Found& found) {
  if (core.slices > 1 && !core.weight_bits) {
    found.push_back({"core.slices of more than 1 needs core.weight_bits: slices hold the digits of an integer",
                     {"core.slices", "core.weight_bits"}});
  } else if (core.slices > 1 && core.slices > *core.weight_bits) {
    found.push_back({fmt::format("core.slices is {}, but core.weight_bits only {}", core.slices, *core.weight_bits),
                     {"core.slices", "core.weight_bits"}});
  }
}

void check_input_slices(const DacConfig& dac, Found& found) {
  if (!dac.slice_bits || dac.model == ConverterModel::ideal || dac.model == ConverterModel::pulse_width) {
    return;
  }
  if (dac.model == ConverterModel::quantizer && dac.sign == DacSign::is_signed) {
    found.push_back({"dac.slice_bits needs digits of a magnitude: dac.model \"sign_magnitude\", or unsigned inputs",
                     {"dac.slice_bits", "dac.model", "dac.signed"}});
  }
  const int magnitude_bits = dac.bits - (dac.model == ConverterModel::sign_magnitude ? 1 : 0);
  if (*dac.slice_bits > magnitude_bits) {
    found.push_back(
        {fmt::format("dac.slice_bits is {}, but inputs have only {} magnitude bits", *dac.slice_bits, magnitude_bits),
         {"dac.slice_bits", "dac.bits"}});
  }
}

void check_adc_range(const LayerHardware& hardware, Found& found) {
  const AdcConfig& adc = hardware.adc;
  if (adc.model == ConverterModel::ideal) {
    return;
  }
  const auto ranges = static_cast<int>(adc.fixed_ranges.size());
  if (adc.range == RangeRule::fixed && ranges > 1 && ranges != hardware.core.slices) {
    found.push_back({fmt::format("adc.range lists {} ranges, but core.slices is {}", ranges, hardware.core.slices),
                     {"adc.range", "core.slices"}});
  }
  if (adc.range != RangeRule::granular) {
    return;
  }
  if (!hardware.core.weight_bits && !hardware.device.cell_bits) {
    found.push_back({"adc.range \"granular\" needs weights of steps: core.weight_bits or device.cell_bits",
                     {"adc.range", "core.weight_bits"}});
  }
  if (!hardware.dac.slice_bits || !adc.per_input_slice) {
    found.push_back({"adc.range \"granular\" needs inputs of steps: dac.slice_bits and adc.per_input_slice",
                     {"adc.range", "dac.slice_bits"}});
  }
}

void check_levels(const DeviceConfig& device, Found& found) {
  if (device.levels.empty()) {
    return;
  }
  if (device.cell_bits) {
    found.push_back({"device.levels and device.cell_bits both say which levels a cell has: leave one out",
                     {"device.levels", "device.cell_bits"}});
  }
  if (device.levels.front() < device.g_min() * (1 - 1e-9)) {
    found.push_back({fmt::format("device.levels begins at {}, below Gmin = {} (1 / device.on_off_ratio)",
                                 shortest_number(device.levels.front()), shortest_number(device.g_min())),
                     {"device.levels", "device.on_off_ratio"}});
  }
}

/// Gates are open or shut: inputs of one bit at a time.
void check_gates(const LayerHardware& hardware, Found& found) {
  const DacConfig& dac = hardware.dac;
  if (!hardware.array.wires.any() || hardware.array.wires.source != WireSource::separate) {
    return;
  }
  const int bits = dac.bits - (dac.model == ConverterModel::sign_magnitude ? 1 : 0);
  const bool one_bit = dac.model == ConverterModel::pulse_width ||
                       (dac.model != ConverterModel::ideal && (dac.slice_bits == 1 || bits == 1));
  if (!one_bit) {
    found.push_back(
        {"array.wires.source \"separate\" gates the cells, so inputs must come bit by bit: dac.slice_bits 1, "
         "or dac.model \"pulse_width\"",
         {"array.wires.source", "dac.model", "dac.slice_bits"}});
  }
}

void check_pulses(const LayerHardware& hardware, Found& found) {
  if (hardware.dac.model == ConverterModel::pulse_width && hardware.device.iv != IvModel::linear &&
      !hardware.array.wires.any()) {
    found.push_back({"dac.model \"pulse_width\" with nonlinear cells is simulated between wires only (array.wires.*)",
                     {"dac.model", "device.iv.model"}});
  }
}

/// Copies of a kernel are held as one dense matrix.
void check_windows(const LayerHardware& hardware, const MatrixLayer& layer, Found& found) {
  if (hardware.window.windows() == 1) {
    return;
  }
  constexpr double most_cells = 1 << 28;
  const double rows = matrix_rows(layer, hardware), cols = matrix_cols(layer, hardware);
  if (rows * cols > most_cells) {
    found.push_back(
        {fmt::format("windows that share arrays make a matrix of {} x {} cells, more than {}", rows, cols, most_cells),
         {"window.x", "window.y"}});
  }
  if (hardware.grouped == GroupedMatrix::per_group) {
    found.push_back({"window.x and window.y share arrays between windows of all groups, but grouped is \"per_group\"",
                     {"window.x", "window.y", "grouped"}});
  }
}

/// A map of faults is that of one array.
void check_map(const LayerHardware& hardware, const MatrixLayer& layer, Found& found) {
  const auto& map = hardware.device.faults.map;
  if (!map) {
    return;
  }
  // Groups on arrays of their own have their cells side by side.
  const int rows = matrix_rows(layer, hardware), cols = arrayed_layer(layer, hardware).cols;
  const std::vector<std::string> own{"device.faults.map"};
  if (map->rows != rows || map->cols != cols) {
    found.push_back({fmt::format("device.faults.map is for {} x {} cells, but the layer has {} rows and {} columns",
                                 map->rows, map->cols, rows, cols),
                     own});
  }
  const int planes = hardware.core.style == CoreStyle::balanced ? 2 : 1;
  if (map->planes != 1 && map->planes != planes) {
    found.push_back({fmt::format("device.faults.map has {} planes of cells, expected 1, or {} with core.style \"{}\"",
                                 map->planes, planes, planes == 2 ? "balanced" : "offset"),
                     own});
  }
  if (hardware.core.slices > 1 || (hardware.core.style == CoreStyle::offset && hardware.core.unit_column)) {
    found.push_back({"device.faults.map is that of one array, but core.slices or core.unit_column need others", own});
  }
  if (hardware.array.rows_max || hardware.array.cols_max) {
    found.push_back(
        {"device.faults.map is that of one array, but array.rows_max or cols_max split the layer over several", own});
  }
}

}  // namespace

std::vector<Impossible> impossible_hardware(const LayerHardware& hardware, const MatrixLayer& layer) {
  std::vector<Impossible> found;
  if (!hardware.analog) {
    return found;
  }
  for (DeviceProblem& problem : device_problems(hardware.device)) {
    found.push_back({std::move(problem.reason), std::move(problem.parameters)});
  }
  check_levels(hardware.device, found);
  check_gates(hardware, found);
  check_pulses(hardware, found);
  check_map(hardware, layer, found);
  if (hardware.core.style == CoreStyle::offset && hardware.core.slices == 1 && hardware.device.cell_bits == 1) {
    found.push_back({"core.style \"offset\" needs device.cell_bits >= 2: its cells use 2^bits - 1 levels",
                     {"core.style", "device.cell_bits"}});
  }
  check_weight_slices(hardware.core, found);
  check_input_slices(hardware.dac, found);
  check_adc_range(hardware, found);
  check_windows(hardware, layer, found);
  if (hardware.device.faults.stuck_on + hardware.device.faults.stuck_off > 1) {
    found.push_back(
        {"device.faults.stuck_on and stuck_off are fractions of the same cells: their sum must not exceed 1",
         {"device.faults.stuck_on", "device.faults.stuck_off"}});
  }
  if (hardware.dac.range == RangeRule::fixed && hardware.dac.sign == DacSign::is_unsigned &&
      hardware.dac.fixed_range.low < 0) {
    found.push_back({"dac.signed false contradicts a dac.range that goes below 0", {"dac.signed", "dac.range"}});
  }
  const AdcConfig& adc = hardware.adc;
  if (adc.model == ConverterModel::levels && adc.levels.levels.empty() && !adc.levels.lloyd_max) {
    found.push_back({"adc.model \"levels\" needs adc.levels: a list of fractions of the range, \"lloyd_max\" or a file",
                     {"adc.model", "adc.levels"}});
  }
  if (adc.model == ConverterModel::table && adc.table.value.empty()) {
    found.push_back({"adc.model \"table\" needs adc.table: a file of value,mean,sigma", {"adc.model", "adc.table"}});
  }
  return found;
}

bool draws_random_numbers(const LayerHardware& hardware) {
  return hardware.analog && (hardware.device.random() || adc_draws(hardware.adc));
}

bool draws_random_numbers(const LayerHardware& hardware, ParameterGroup group) {
  const DeviceConfig& device = hardware.device;
  switch (group) {
    case ParameterGroup::errors:
      return hardware.analog && device.errors();
    case ParameterGroup::faults:
      return hardware.analog && device.faults.active();
    case ParameterGroup::conversion:
      return hardware.analog && adc_draws(hardware.adc);
    default:
      return false;
  }
}

bool needs_calibration(const LayerHardware& hardware) {
  const CalibrationNeeds needs = calibration_needs(hardware);
  return needs.dac || needs.adc || needs.levels;
}

}  // namespace crossgrid
