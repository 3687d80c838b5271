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

TEST(EffectiveHardware, PartsThatAConverterDoesNotHaveAreDropped) {
  const MatrixLayer layer = sample_context().layers[1];
  LayerHardware all;
  all.adc.bits = 6;
  all.adc.group = 4;
  all.adc.rounding = Rounding::stochastic;
  all.adc.split = all.adc.symmetric = false;
  all.adc.errors = {0.1, 0.2, 0.3, 0.4, 0.5, 60};
  all.adc.levels.levels = {0, 1};
  all.adc.table = {{0}, {0}, {0.1}};
  const auto kept = [&](ConverterModel model) {
    LayerHardware hardware = all;
    hardware.adc.model = model;
    return effective_hardware(hardware, layer).adc;
  };
  const auto only = [](ConverterModel model, int bits) {
    AdcConfig adc;
    adc.model = model;
    adc.bits = bits;
    return adc;
  };
  EXPECT_EQ(kept(ConverterModel::ideal), AdcConfig{});
  AdcConfig expected = only(ConverterModel::quantizer, 6);
  expected.rounding = Rounding::stochastic;
  EXPECT_EQ(kept(ConverterModel::quantizer), expected);
  expected = only(ConverterModel::ramp, 6);
  expected.symmetric = false;
  expected.errors = {0.1, 0, 0, 0, 0.5, 60};
  EXPECT_EQ(kept(ConverterModel::ramp), expected);
  expected = only(ConverterModel::sar, 6);
  expected.split = false;
  expected.group = 4;
  expected.errors = {0.1, 0, 0, 0, 0.5, 60};
  EXPECT_EQ(kept(ConverterModel::sar), expected);
  for (const auto model : {ConverterModel::pipeline, ConverterModel::cyclic}) {
    expected = only(model, 6);
    expected.group = 4;
    expected.errors = {0, 0.2, 0.3, 0.4, 0.5, 60};
    EXPECT_EQ(kept(model), expected);
  }
  expected = only(ConverterModel::levels, 8);
  expected.levels.levels = {0, 1};
  EXPECT_EQ(kept(ConverterModel::levels), expected);
  expected = only(ConverterModel::table, 6);
  expected.table = all.adc.table;
  EXPECT_EQ(kept(ConverterModel::table), expected);
  // Without errors it does not matter who shares a converter.
  all.adc.errors = {};
  EXPECT_EQ(kept(ConverterModel::sar).group, 8);
}

/// One reason for each mistake, with the parameters that cause it.
TEST(EffectiveHardware, RefusesSlicesAndRangesThatDoNotFit) {
  const auto reasons = [](auto change) {
    LayerHardware hardware;
    hardware.core.weight_bits = 8;
    hardware.dac.model = ConverterModel::sign_magnitude;
    hardware.adc.model = ConverterModel::quantizer;
    change(hardware);
    return impossible_hardware(hardware, {}).size();
  };
  EXPECT_EQ(reasons([](LayerHardware&) {}), 0u);
  EXPECT_EQ(reasons([](LayerHardware& h) { h.core.slices = 9; }), 1u) << "more slices than bits";
  EXPECT_EQ(reasons([](LayerHardware& h) { h.core.slices = 2, h.core.weight_bits.reset(); }), 1u);
  EXPECT_EQ(reasons([](LayerHardware& h) { h.dac.slice_bits = 8; }), 1u) << "7 magnitude bits";
  EXPECT_EQ(reasons([](LayerHardware& h) {
              h.dac.model = ConverterModel::quantizer;
              h.dac.slice_bits = 1, h.dac.sign = DacSign::is_signed;
            }),
            1u);
  EXPECT_EQ(reasons([](LayerHardware& h) { h.adc.range = RangeRule::granular; }), 1u) << "inputs without slices";
  EXPECT_EQ(reasons([](LayerHardware& h) {
              h.adc.range = RangeRule::fixed;
              h.adc.fixed_ranges = {{0, 1}, {0, 2}};
            }),
            1u);
  EXPECT_EQ(reasons([](LayerHardware& h) { h.core.slices = 9, h.dac.slice_bits = 8; }), 2u) << "all at once";
}

TEST(EffectiveHardware, ComparesWiresWithCells) {
  const MatrixLayer layer{0, "layer", 20, 10, 1, false};
  LayerHardware hardware;
  hardware.device.r_min = 5e3, hardware.core.interleaved = true;
  LayerHardware found = effective_hardware(hardware, layer);
  EXPECT_EQ(found.device.r_min, DeviceConfig{}.r_min) << "nothing is compared with it";
  EXPECT_FALSE(found.core.interleaved);
  hardware.array.wires.r_col_end = 2;
  found = effective_hardware(hardware, layer);
  EXPECT_EQ(found, hardware);
  EXPECT_EQ(found.nominal().device.r_min, 5e3) << "calibration sees the wires";
  EXPECT_TRUE(impossible_hardware(hardware, layer).empty());
  hardware.device.read_noise = {ErrorModel::normal_independent, 0.01};
  hardware.device.read_noise_sampling = NoiseSampling::lumped;
  found = effective_hardware(hardware, layer);
  EXPECT_EQ(found.device.read_noise_sampling, NoiseSampling::automatic) << "cells between wires are drawn one by one";
  EXPECT_TRUE(found.solves_circuits());
  EXPECT_FALSE(found.nominal().solves_circuits()) << "a transfer matrix has calibration's currents";
}

TEST(EffectiveHardware, GatesCellsBitByBit) {
  const MatrixLayer layer{0, "layer", 20, 10, 1, false};
  LayerHardware hardware;
  hardware.array.wires.source = WireSource::separate;
  EXPECT_EQ(effective_hardware(hardware, layer).array.wires, WiresConfig{}) << "no wires";
  hardware.array.wires.r_row = 1;
  EXPECT_EQ(impossible_hardware(hardware, layer).size(), 1u) << "amplitudes";
  hardware.dac.model = ConverterModel::quantizer, hardware.dac.sign = DacSign::is_unsigned;
  EXPECT_EQ(impossible_hardware(hardware, layer).size(), 1u) << "8 bits at once";
  hardware.dac.slice_bits = 1;
  EXPECT_TRUE(impossible_hardware(hardware, layer).empty());
  hardware.dac.slice_bits.reset(), hardware.dac.bits = 1;
  EXPECT_TRUE(impossible_hardware(hardware, layer).empty()) << "one bit is all there is";
  hardware.dac.bits = 8, hardware.dac.model = ConverterModel::pulse_width;
  EXPECT_TRUE(impossible_hardware(hardware, layer).empty());
  hardware.array.wires.used_rows = UsedRows::bottom;
  EXPECT_EQ(effective_hardware(hardware, layer).array.wires.used_rows, UsedRows::top) << "no row to spare";
  hardware.array.rows_max = 21;
  EXPECT_EQ(effective_hardware(hardware, layer).array.wires.used_rows, UsedRows::bottom);
  hardware.dac.slice_bits = 2;
  EXPECT_FALSE(effective_hardware(hardware, layer).dac.slice_bits.has_value()) << "a pulse is not sliced";
}

TEST(EffectiveHardware, KnowsWhichConvertersDrawCalibrateOrCantBeBuilt) {
  LayerHardware hardware;
  hardware.adc.model = ConverterModel::sar;
  EXPECT_FALSE(draws_random_numbers(hardware));
  hardware.adc.errors.sigma_capacitor = 0.01;
  EXPECT_TRUE(draws_random_numbers(hardware));
  EXPECT_TRUE(draws_random_numbers(hardware, ParameterGroup::conversion));
  EXPECT_FALSE(draws_random_numbers(hardware, ParameterGroup::errors));
  EXPECT_TRUE(impossible_hardware(hardware, {}).empty());

  hardware = {};
  hardware.adc.model = ConverterModel::levels;
  EXPECT_FALSE(impossible_hardware(hardware, {}).empty());
  hardware.adc.levels.lloyd_max = true;
  EXPECT_TRUE(impossible_hardware(hardware, {}).empty());
  hardware.adc.range = RangeRule::maximum;
  hardware.dac.range = RangeRule::fixed;
  EXPECT_TRUE(needs_calibration(hardware));
  hardware.adc.levels = {false, {0, 1}, {}};
  EXPECT_FALSE(needs_calibration(hardware));

  hardware = {};
  hardware.adc.model = ConverterModel::table;
  EXPECT_FALSE(impossible_hardware(hardware, {}).empty());
  hardware.adc.table = {{0}, {0}, {0}};
  EXPECT_TRUE(impossible_hardware(hardware, {}).empty());
  // Its entries are cell currents: the scale of ideal inputs matters.
  hardware.dac.range = RangeRule::fixed;
  hardware.dac.fixed_range = {-1, 1};
  EXPECT_EQ(effective_hardware(hardware, sample_context().layers[1]).dac, hardware.dac);
}

}  // namespace
}  // namespace crossgrid
