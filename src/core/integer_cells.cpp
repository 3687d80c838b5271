#include "crossgrid/core/integer_cells.hpp"

#include "crossgrid/circuit/input_slices.hpp"
#include "crossgrid/core/conversion_scheme.hpp"
#include "crossgrid/core/weight_mapping.hpp"

namespace crossgrid {
namespace {

/// Whether every cell conducts what its target says.
bool exact_device(const DeviceConfig& device) {
  const FaultConfig& faults = device.faults;
  return !device.errors() && !faults.active() && !faults.map && device.iv == IvModel::linear && device.levels.empty();
}

/// Bits of a cell's integer; 0 where it holds none.
int integer_bits(const LayerHardware& hardware, bool sides_apart) {
  const CoreConfig& core = hardware.core;
  if (!core.weight_bits) return 0;
  if (core.slices > 1) return bits_per_slice(core);
  // Whole weights: only of pairs that subtract; what both cells of a pair hold is no integer of its own.
  if (core.style != CoreStyle::balanced) return 0;
  if (core.two_sided && (sides_apart || hardware.device.cell_bits)) return 0;
  return *core.weight_bits - 1;
}

/// Levels 2^b - 1 steps apart hold digits of a 2^s - 1 part each where s divides b.
bool levels_keep(const DeviceConfig& device, int bits) {
  return !device.cell_bits || *device.cell_bits % bits == 0;
}

}  // namespace

std::optional<IntegerCells> integer_cells(const LayerHardware& hardware) {
  const ConversionScheme scheme = conversion_scheme(hardware, NoisePath::none);
  if (!scheme.inputs || !exact_device(hardware.device) || hardware.array.wires.any()) return std::nullopt;
  const int bits = integer_bits(hardware, scheme.sides);
  if (bits == 0 || !levels_keep(hardware.device, bits)) return std::nullopt;
  IntegerCells cells;
  cells.largest_input = static_cast<int>(input_slices(hardware.dac).largest_digit());
  cells.largest_weight = (1 << bits) - 1;
  const bool cancels = hardware.core.style == CoreStyle::balanced && !scheme.sides;
  if (!cancels) cells.base = hardware.device.g_min();
  return cells;
}

}  // namespace crossgrid
