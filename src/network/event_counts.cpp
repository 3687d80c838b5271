#include "crossgrid/network/event_counts.hpp"

#include "crossgrid/circuit/input_slices.hpp"
#include "crossgrid/core/partition.hpp"
#include "crossgrid/network/window_tiles.hpp"

namespace crossgrid {

namespace {

std::optional<int> bits_of(ConverterModel model, int bits) {
  return model == ConverterModel::ideal ? std::nullopt : std::optional(bits);
}

}  // namespace

ConversionCounts conversion_counts(const LayerHardware& hardware) {
  ConversionCounts counts;
  const CoreConfig& core = hardware.core;
  counts.weight_slices = core.slices;
  counts.input_slices = input_slices(hardware.dac).count;
  counts.conversions_per_input = counts.input_slices == 1 || hardware.adc.per_input_slice ? counts.input_slices : 1;
  counts.rows_active = hardware.array.rows_active;
  const bool digital = core.style == CoreStyle::balanced && core.subtract == Subtraction::digital && !core.interleaved;
  counts.pair_conversions = digital ? 2 : 1;
  counts.unit_column = core.style == CoreStyle::offset && core.unit_column;
  return counts;
}

LayerEvents count_events(const MatrixLayer& network_layer, const LayerHardware& hardware,
                         const ConversionCounts& counts) {
  const MatrixLayer layer = hardware.analog ? arrayed_layer(network_layer, hardware) : network_layer;
  LayerEvents events;
  events.layer = layer.name;
  events.analog = hardware.analog;
  const auto mvms = static_cast<std::uint64_t>(layer.mvms_per_image);
  const auto cols = static_cast<std::uint64_t>(layer.cols);
  if (!hardware.analog) {
    events.digital_multiplications = mvms * static_cast<std::uint64_t>(layer.rows) * cols;
    return events;
  }
  const int matrix_rows = layer.rows + (layer.bias ? hardware.core.bias_row_count() : 0);
  const auto rows = static_cast<std::uint64_t>(matrix_rows);
  const auto row_blocks = partition(matrix_rows, hardware.array.rows_max, hardware.array.rows_partition);
  const auto col_blocks = partition(layer.cols, hardware.array.cols_max, hardware.array.cols_partition).size();
  const std::uint64_t groups = row_groups(row_blocks, counts.rows_active).size();
  const auto weight_slices = static_cast<std::uint64_t>(counts.weight_slices);
  const auto input_slices = static_cast<std::uint64_t>(counts.input_slices);
  const auto conversions = weight_slices * static_cast<std::uint64_t>(counts.conversions_per_input);
  const auto pair = static_cast<std::uint64_t>(counts.pair_conversions);
  const std::uint64_t slices = weight_slices * input_slices;
  const std::uint64_t planes = hardware.core.style == CoreStyle::balanced ? 2 : 1;
  const std::uint64_t columns = cols + (counts.unit_column ? col_blocks : 0);

  events.mvms = mvms;
  events.arrays = static_cast<int>(row_blocks.size() * col_blocks * weight_slices * pair);
  events.cells = rows * columns * planes * weight_slices;
  events.array_activations = mvms * groups * col_blocks * slices * pair;
  events.cells_read = mvms * events.cells * input_slices;
  events.dac_bits = bits_of(hardware.dac.model, hardware.dac.slice_bits.value_or(hardware.dac.bits));
  events.dac_conversions = mvms * rows * col_blocks * slices;
  events.adc_bits = bits_of(hardware.adc.model, hardware.adc.bits);
  events.adc_conversions = mvms * columns * groups * conversions * pair;
  events.additions = mvms * columns * conversions * (groups * pair - 1);
  events.shift_adds = mvms * columns * (conversions - 1);
  if (counts.unit_column) {
    events.offset_additions = mvms * cols;
  } else if (hardware.core.style == CoreStyle::offset) {
    events.offset_additions = mvms * (rows - 1 + cols);
  }
  return events;
}

}  // namespace crossgrid
