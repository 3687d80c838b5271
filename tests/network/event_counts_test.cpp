#include "crossgrid/network/event_counts.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <vector>

#include "crossgrid/core/reference_mvm.hpp"

namespace crossgrid {
namespace {

/// 3x3 kernels of 8 channels to 20 channels over 10 x 10 windows.
const MatrixLayer convolution{0, "/conv/Conv", 72, 20, 100, true, true};
const MatrixLayer linear{1, "/fc/Gemm", 50, 10, 1, false, true};

LayerHardware quantised() {
  LayerHardware hardware;
  hardware.dac.model = hardware.adc.model = ConverterModel::quantizer;
  hardware.dac.bits = 6, hardware.adc.bits = 7;
  return hardware;
}

TEST(EventCounts, OfALinearLayerOnOneArray) {
  const LayerEvents events = count_events(linear, quantised(), {});
  EXPECT_EQ(events.layer, "/fc/Gemm");
  EXPECT_EQ(events.mvms, 1u);
  EXPECT_EQ(events.arrays, 1);
  EXPECT_EQ(events.cells, 50u * 10 * 2);
  EXPECT_EQ(events.array_activations, 1u);
  EXPECT_EQ(events.cells_read, 1000u);
  EXPECT_EQ(events.dac_bits, 6);
  EXPECT_EQ(events.dac_conversions, 50u);
  EXPECT_EQ(events.adc_bits, 7);
  EXPECT_EQ(events.adc_conversions, 10u);
  EXPECT_EQ(events.additions, 0u);
  EXPECT_EQ(events.shift_adds, 0u);
  EXPECT_EQ(events.offset_additions, 0u);
}

TEST(EventCounts, OfAConvolutionSplitInRowsAndColumns) {
  LayerHardware hardware = quantised();
  hardware.array.rows_max = 32;  // 3 row blocks of 24
  hardware.array.cols_max = 12;  // 2 column blocks of 10
  const LayerEvents events = count_events(convolution, hardware, {});
  EXPECT_EQ(events.arrays, 6);
  EXPECT_EQ(events.array_activations, 100u * 6);
  EXPECT_EQ(events.cells_read, 100u * 72 * 20 * 2);
  EXPECT_EQ(events.dac_conversions, 100u * 72 * 2);  // each of 2 column blocks drives all rows
  EXPECT_EQ(events.adc_conversions, 100u * 20 * 3);
  EXPECT_EQ(events.additions, 100u * 20 * 2);
}

TEST(EventCounts, OfSlicesRowGroupsAndPairs) {
  LayerHardware hardware = quantised();
  hardware.array.rows_max = 40;
  hardware.array.rows_partition.kind = PartitionRule::Kind::fill;  // row blocks of 40 and 32
  ConversionCounts counts;
  counts.weight_slices = 4, counts.input_slices = counts.conversions_per_input = 3, counts.pair_conversions = 2;
  counts.rows_active = 16;  // 3 and 2 groups
  const LayerEvents events = count_events(convolution, hardware, counts);
  EXPECT_EQ(events.arrays, 2 * 4 * 2);
  EXPECT_EQ(events.cells, 72u * 20 * 2 * 4);
  EXPECT_EQ(events.array_activations, 100u * 5 * 4 * 3 * 2);
  EXPECT_EQ(events.cells_read, 100u * 72 * 20 * 2 * 4 * 3);  // a cell once per input slice
  EXPECT_EQ(events.dac_conversions, 100u * 72 * 4 * 3);      // a pair shares its drivers
  EXPECT_EQ(events.adc_conversions, 100u * 20 * 5 * 4 * 3 * 2);
  EXPECT_EQ(events.additions, 100u * 20 * 12 * (5 * 2 - 1));
  EXPECT_EQ(events.shift_adds, 100u * 20 * 11);
  // All that is converted for an output becomes one number.
  EXPECT_EQ(events.additions + events.shift_adds, events.adc_conversions - 100u * 20);
}

TEST(EventCounts, OfOffsetCellsAndIdealConverters) {
  LayerHardware hardware;
  hardware.core.style = CoreStyle::offset;
  const LayerEvents events = count_events(linear, hardware, {});
  EXPECT_EQ(events.cells_read, 500u);
  EXPECT_EQ(events.offset_additions, 49u + 10);  // the inputs' sum, then once from every output
  EXPECT_FALSE(events.dac_bits);
  EXPECT_FALSE(events.adc_bits);
  EXPECT_EQ(events.adc_conversions, 10u);
}

TEST(EventCounts, FollowTheHardware) {
  LayerHardware hardware = quantised();
  hardware.core.style = CoreStyle::offset, hardware.core.unit_column = true;
  hardware.core.weight_bits = 8, hardware.core.slices = 4;
  hardware.dac.slice_bits = 1;
  hardware.core.bias_in_rows = true, hardware.core.bias_rows = 2;
  hardware.array.cols_max = 5;
  LayerEvents events = count_events(linear, hardware, conversion_counts(hardware));
  EXPECT_EQ(events.cells, 52u * 12 * 4);
  EXPECT_EQ(events.dac_bits, 1);
  EXPECT_EQ(events.dac_conversions, 52u * 2 * 4 * 6);
  EXPECT_EQ(events.array_activations, 2u * 4 * 6);
  EXPECT_EQ(events.adc_conversions, 12u * 4) << "one of the analog sum of 6 input slices";
  EXPECT_EQ(events.offset_additions, 10u);
  hardware.adc.per_input_slice = true;
  events = count_events(linear, hardware, conversion_counts(hardware));
  EXPECT_EQ(events.adc_conversions, 12u * 4 * 6);
  EXPECT_EQ(events.shift_adds, 12u * 23);
}

/// Every hardware's conversions, counted where brute force makes them.
TEST(EventCounts, ConversionsAreThoseThatTheReferenceMakes) {
  constexpr int rows = 33, cols = 20;
  const MatrixLayer layer{1, "/fc/Gemm", rows, cols, 1, false, true};
  std::srand(1);
  const Matrix weights = Matrix::Random(cols, rows);
  const std::vector<double> x(rows, 0.5);
  ReferenceMvm mvm;
  mvm.input_range = {-1, 1};
  for (int choice = 0; choice < 4 * 3 * 8; ++choice) {
    const int core = choice % 4, inputs = choice / 4 % 3, others = choice / 12;
    LayerHardware hardware;
    hardware.core.style = core < 2 ? CoreStyle::balanced : CoreStyle::offset;
    if (core == 1) hardware.core.subtract = Subtraction::digital;
    hardware.core.unit_column = core == 3;
    hardware.core.weight_bits = 6, hardware.core.slices = (others & 1) != 0 ? 3 : 1;
    hardware.array.cols_max = 7;
    if ((others & 2) != 0) hardware.array.rows_max = 12;
    if ((others & 4) != 0) hardware.array.rows_active = 5;
    hardware.dac.model = ConverterModel::sign_magnitude, hardware.dac.bits = 5;
    if (inputs > 0) hardware.dac.slice_bits = 2;
    hardware.adc.model = ConverterModel::quantizer, hardware.adc.range = RangeRule::maximum;
    hardware.adc.per_input_slice = inputs == 2;
    // A unit column is converted once for all outputs of its array, where the reference converts it for each.
    std::set<std::array<int, 5>> made;
    for (const ReferenceConversion& c : reference_chain(weights, hardware, x, mvm).conversions) {
      made.insert({c.group, c.slice, c.side, c.input_slice, c.column});
    }
    EXPECT_EQ(count_events(layer, hardware, conversion_counts(hardware)).adc_conversions, made.size()) << choice;
  }
}

TEST(EventCounts, OfADigitalLayerAreItsMultiplications) {
  LayerHardware hardware;
  hardware.analog = false;
  const LayerEvents events = count_events(convolution, hardware, {});
  EXPECT_EQ(events.digital_multiplications, 100u * 72 * 20);
  EXPECT_EQ(events.arrays + static_cast<int>(events.cells_read + events.adc_conversions + events.dac_conversions), 0);
}

}  // namespace
}  // namespace crossgrid
