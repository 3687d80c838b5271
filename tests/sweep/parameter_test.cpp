#include "crossgrid/sweep/parameter.hpp"

#include <gtest/gtest.h>

#include <set>

#include "sample_sweep.hpp"

namespace crossgrid {
namespace {

TEST(Parameter, PathsAreUniqueAndNoneIsASection) {
  std::set<std::string> paths;
  for (const Parameter& parameter : parameters()) {
    EXPECT_TRUE(paths.insert(parameter.path).second) << parameter.path;
    EXPECT_FALSE(is_parameter_section(parameter.path)) << parameter.path;
    EXPECT_EQ(find_parameter(parameter.path), &parameter);
  }
  EXPECT_EQ(find_parameter("adc.bitz"), nullptr);
}

TEST(Parameter, DefaultsAreAcceptedAndAreThoseOfTheHardware) {
  for (const Parameter& parameter : parameters()) {
    if (!parameter.fallback.is_null()) {
      EXPECT_EQ(parameter_value(parameter, parameter.fallback, {"x", ""}), parameter.fallback) << parameter.path;
      EXPECT_EQ(parameter_value(parameter, column_value(parameter.fallback), {"x", ""}), parameter.fallback)
          << parameter.path;
    }
    EXPECT_EQ(static_cast<bool>(parameter.set), static_cast<bool>(parameter.get)) << parameter.path;
    if (parameter.get) {
      EXPECT_EQ(parameter.get(LayerHardware{}), parameter.fallback) << parameter.path;
    }
  }
}

TEST(Parameter, WhatIsSetIsWhatIsHeld) {
  int words = 0;
  for (const Parameter& parameter : parameters()) {
    if (!parameter.set) {
      continue;
    }
    std::vector<Json> values{parameter.fallback};
    for (const std::string& word : parameter.supported.words) {
      values.emplace_back(word);
      ++words;
    }
    for (const Json& candidate : {Json(3), Json(0.75), Json(2.5), Json(true), Json(false), Json{{"limit", 2}},
                                  Json::array({-1, 2}), Json::array({0.25, 0.5})}) {
      if (const auto value = canonical_value(parameter.supported, candidate)) {
        values.push_back(*value);
      }
    }
    for (const Json& value : values) {
      LayerHardware hardware;
      parameter.set(hardware, value);
      EXPECT_EQ(parameter.get(hardware), value) << parameter.path;
      EXPECT_EQ(hardware == LayerHardware{}, value == parameter.fallback) << parameter.path << " = " << value;
    }
  }
  EXPECT_GT(words, 20);
}

/// Ids leave defaults out: a default that changes needs a new physics_version, and this list.
TEST(Parameter, DefaultsAreThoseThatIdsWereMadeWith) {
  std::string defaults;
  for (const Parameter& parameter : parameters()) {
    if (parameter.get) {
      defaults += parameter.path + "=" + canonical_text(parameter.fallback) + " ";
    }
  }
  EXPECT_EQ(
      defaults,
      "core.style=\"balanced\" core.weight_bits=\"continuous\" core.slices=1 core.two_sided=false "
      "core.subtract=\"analog\" "
      "core.interleaved=false core.unit_column=false core.clip=1 core.bias=\"digital\" core.bias_rows=1 "
      "array.rows_max=\"unlimited\" array.cols_max=\"unlimited\" array.rows_partition=\"equal\" "
      "array.cols_partition=\"equal\" array.rows_active=\"all\" array.column_current_max=\"unlimited\" "
      "array.wires.r_row=0 array.wires.r_col=0 array.wires.r_row_end=0 array.wires.r_col_end=0 "
      "array.wires.source=\"input\" array.wires.used_rows=\"top\" array.wires.read_noise=\"first_order\" "
      "device.model=\"generic\" device.r_min=10000 device.on_off_ratio=\"infinite\" device.cell_bits=\"continuous\" "
      "device.levels=\"none\" device.read_voltage=0.1 device.time=0 device.clip=false "
      "device.programming_error.model=\"none\" device.programming_error.magnitude=0 "
      "device.read_noise.model=\"none\" device.read_noise.magnitude=0 device.read_noise.sampling=\"auto\" "
      "device.drift.model=\"none\" device.drift.compensation=\"none\" device.iv.model=\"linear\" "
      "device.faults.stuck_on=0 device.faults.stuck_off=0 device.faults.dead_rows=0 device.faults.dead_columns=0 "
      "device.faults.map=\"none\" dac.model=\"ideal\" dac.bits=8 dac.signed=\"auto\" dac.range=\"calibrated\" "
      "dac.slice_bits=\"unsliced\" adc.model=\"ideal\" adc.bits=8 adc.rounding=\"nearest\" adc.range=\"calibrated\" "
      "adc.per_input_slice=false adc.bound_management=0 adc.group=8 adc.sigma_capacitor=0 adc.sigma_c1=0 "
      "adc.sigma_c2=0 adc.sigma_cpar=0 adc.sigma_comparator=0 adc.gain_db=100 adc.split=true adc.symmetric=true "
      "adc.levels=\"none\" adc.table=\"none\" analog=true grouped=\"shared\" window.x=1 window.y=1 "
      "simulation.precision=\"float32\" ");
}

TEST(Parameter, CanonicalTextTellsValuesApartInOneForm) {
  EXPECT_EQ(canonical_text(*canonical_value({.number = ValueType::Numbers{}}, 10000)), "10000");
  EXPECT_EQ(canonical_text(*canonical_value({.number = ValueType::Numbers{}}, 1e4)), "10000");
  EXPECT_EQ(canonical_text(*canonical_value({.number = ValueType::Numbers{}}, -0.0)), "0");
  EXPECT_EQ(canonical_text(*canonical_value({.interval = true}, Json::array({-0.0, 1}))), "[0,1]");
  EXPECT_NE(canonical_text(Json("1")), canonical_text(Json(1)));
}

}  // namespace
}  // namespace crossgrid
