#include "crossgrid/network/event_counts.hpp"

#include "crossgrid/core/partition.hpp"

namespace crossgrid {

namespace {

std::optional<int> bits_of(ConverterModel model, int bits) {
  return model == ConverterModel::ideal ? std::nullopt : std::optional(bits);
}

/// Groups of rows that are driven one after the other, over all row blocks.
std::uint64_t row_groups(const std::vector<Part>& blocks, const std::optional<int>& rows_active) {
  std::uint64_t groups = 0;
  for (const Part& block : blocks) {
    const int active = rows_active.value_or(block.count);
    groups += static_cast<std::uint64_t>((block.count + active - 1) / active);
  }
  return groups;
}

}  // namespace

ConversionCounts conversion_counts(const LayerHardware&) {
  return {};  // one conversion per column and MVM: slices, row groups and digital subtraction are not simulated yet
}

LayerEvents count_events(const MatrixLayer& layer, const LayerHardware& hardware, const ConversionCounts& counts) {
  LayerEvents events;
  events.layer = layer.name;
  events.analog = hardware.analog;
  const auto mvms = static_cast<std::uint64_t>(layer.mvms_per_image);
  const auto rows = static_cast<std::uint64_t>(layer.rows), cols = static_cast<std::uint64_t>(layer.cols);
  if (!hardware.analog) {
    events.digital_multiplications = mvms * rows * cols;
    return events;
  }
  const auto row_blocks = partition(layer.rows, hardware.array.rows_max, hardware.array.rows_partition);
  const auto col_blocks = partition(layer.cols, hardware.array.cols_max, hardware.array.cols_partition).size();
  const std::uint64_t groups = row_groups(row_blocks, counts.rows_active);
  const auto weight_slices = static_cast<std::uint64_t>(counts.weight_slices);
  const auto input_slices = static_cast<std::uint64_t>(counts.input_slices);
  const auto pair = static_cast<std::uint64_t>(counts.pair_conversions);
  const std::uint64_t slices = weight_slices * input_slices;
  const std::uint64_t planes = hardware.core.style == CoreStyle::balanced ? 2 : 1;

  events.mvms = mvms;
  events.arrays = static_cast<int>(row_blocks.size() * col_blocks * weight_slices * pair);
  events.cells = rows * cols * planes * weight_slices;
  events.array_activations = mvms * groups * col_blocks * slices * pair;
  events.cells_read = mvms * events.cells * input_slices;
  events.dac_bits = bits_of(hardware.dac.model, hardware.dac.bits);
  events.dac_conversions = mvms * rows * col_blocks * slices;
  events.adc_bits = bits_of(hardware.adc.model, hardware.adc.bits);
  events.adc_conversions = mvms * cols * groups * slices * pair;
  events.additions = mvms * cols * slices * (groups * pair - 1);
  events.shift_adds = mvms * cols * (slices - 1);
  if (hardware.core.style == CoreStyle::offset) events.offset_additions = mvms * (rows - 1 + cols);
  return events;
}

}  // namespace crossgrid
