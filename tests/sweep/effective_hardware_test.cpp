#include "crossgrid/sweep/effective_hardware.hpp"

#include <gtest/gtest.h>

#include "crossgrid/core/partition.hpp"
#include "sample_sweep.hpp"

namespace crossgrid {
namespace {

TEST(EffectiveHardware, NamesEverySplitOnceAndKeepsIt) {
  for (int size = 1; size <= 60; ++size) {
    const MatrixLayer layer{0, "x", size, size, 1, false};
    std::vector<std::pair<std::vector<Part>, LayerHardware>> seen;
    for (int limit = 0; limit <= size + 2; ++limit) {
      for (const PartitionRule& rule : {PartitionRule{}, PartitionRule{PartitionRule::Kind::fill, {}}}) {
        LayerHardware hardware;
        hardware.array.rows_max = limit == 0 ? std::nullopt : std::optional(limit);
        hardware.array.rows_partition = rule;
        const LayerHardware named = effective_hardware(hardware, layer);
        const auto parts = partition(size, hardware.array.rows_max, rule);
        ASSERT_EQ(partition(size, named.array.rows_max, named.array.rows_partition), parts) << size << " by " << limit;
        for (const auto& [other_parts, other] : seen) {
          ASSERT_EQ(other_parts == parts, other == named) << size << " by " << limit;
        }
        seen.emplace_back(parts, named);
      }
    }
  }
}

TEST(EffectiveHardware, DropsWhatOnlyADroppedParameterNeeded) {
  LayerHardware hardware;
  hardware.device.read_noise = {ErrorModel::normal_proportional, 0};
  hardware.device.read_noise_sampling = NoiseSampling::per_cell;
  hardware.device.clip = true;
  hardware.adc.bits = 4;
  EXPECT_EQ(effective_hardware(hardware, sample_context().layers[1]), LayerHardware{});
}

TEST(EffectiveHardware, ADigitalLayerIsOnlyDigital) {
  LayerHardware hardware;
  hardware.analog = false;
  hardware.core.style = CoreStyle::offset;
  hardware.device.programming_error = {ErrorModel::normal_independent, 1};
  const LayerHardware digital = effective_hardware(hardware, sample_context().layers[1]);
  EXPECT_FALSE(digital.analog);
  EXPECT_EQ(digital.core.style, CoreStyle::balanced);
  EXPECT_FALSE(draws_random_numbers(hardware));
  EXPECT_FALSE(needs_calibration(hardware));
}

TEST(EffectiveHardware, TheScaleOfIdealInputsCountsOnlyForRangesInCellCurrents) {
  LayerHardware hardware;
  hardware.dac.range = RangeRule::fixed;
  hardware.dac.fixed_range = {-1, 1};
  const MatrixLayer layer = sample_context().layers[1];
  EXPECT_EQ(effective_hardware(hardware, layer).dac, DacConfig{});
  EXPECT_FALSE(needs_calibration(effective_hardware(hardware, layer)));
  hardware.adc.model = ConverterModel::quantizer;
  EXPECT_EQ(effective_hardware(hardware, layer).dac, DacConfig{});
  EXPECT_TRUE(needs_calibration(hardware));
  hardware.adc.range = RangeRule::maximum;
  EXPECT_EQ(effective_hardware(hardware, layer).dac, hardware.dac);
  EXPECT_FALSE(needs_calibration(hardware));
  hardware.dac = {};
  EXPECT_TRUE(needs_calibration(hardware));
}

}  // namespace
}  // namespace crossgrid
