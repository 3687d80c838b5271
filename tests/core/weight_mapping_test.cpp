#include "crossgrid/core/weight_mapping.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "crossgrid/base/error.hpp"

namespace crossgrid {
namespace {

Matrix some_weights() {
  Matrix weights(2, 3);
  weights << 0.5f, -2.0f, 1.0f, 0.0f, 0.25f, -0.75f;
  return weights;
}

/// The weight that a mapping's cells stand for.
double weight_of(const WeightMapping& mapping, const CellTargets& cells) {
  const double current = mapping.style == CoreStyle::offset ? cells.plus : cells.plus - cells.minus;
  return mapping.output_scale() * current - mapping.offset_coefficient();
}

TEST(WeightLimit, FactorQuantileAndLimit) {
  const Matrix weights = some_weights();
  using Rule = WeightClip::Rule;
  EXPECT_EQ(weight_limit(weights, {Rule::factor, 1}), 2);
  EXPECT_EQ(weight_limit(weights, {Rule::factor, 1.5}), 3);
  EXPECT_EQ(weight_limit(weights, {Rule::limit, 0.7}), 0.7);
  // Sorted: -2, -0.75, 0, 0.25, 0.5, 1. q(0.9) = 0.75, q(0.1) = -1.375; q(0.8) = 0.5, q(0.2) = -0.75.
  EXPECT_NEAR(weight_limit(weights, {Rule::quantile, 0.9}), 1.375, 1e-12);
  EXPECT_NEAR(weight_limit(weights, {Rule::quantile, 0.8}), 0.75, 1e-12);
  EXPECT_EQ(weight_limit(Matrix::Zero(2, 2), {Rule::factor, 1}), 1);
}

TEST(WeightMapping, BalancedCellsHoldTheSign) {
  LayerHardware hardware;
  hardware.device.on_off_ratio = 10;
  const WeightMapping mapping = make_weight_mapping(some_weights(), hardware);
  EXPECT_NEAR(mapping(1.0).plus, 0.1 + 0.9 * 0.5, 1e-15);
  EXPECT_NEAR(mapping(1.0).minus, 0.1, 1e-15);
  EXPECT_NEAR(mapping(-2.0).plus, 0.1, 1e-15);
  EXPECT_NEAR(mapping(-9.0).minus, 1, 1e-15);  // clipped
  EXPECT_EQ(mapping.offset_coefficient(), 0);
}

TEST(WeightMapping, TwoSidedCellsMoveApart) {
  LayerHardware hardware;
  hardware.core.two_sided = true;
  hardware.device.on_off_ratio = 10;
  const WeightMapping mapping = make_weight_mapping(some_weights(), hardware);
  EXPECT_NEAR(mapping(1.0).plus, 0.1 + 0.9 * 0.75, 1e-15);
  EXPECT_NEAR(mapping(1.0).minus, 0.1 + 0.9 * 0.25, 1e-15);
  EXPECT_EQ(mapping(0).plus, mapping(0).minus);
  for (double weight = -2; weight <= 2; weight += 0.03125) {
    EXPECT_NEAR(weight_of(mapping, mapping(weight)), weight, 1e-14);
  }
}

/// Back from conductances to weights, for both styles, with levels or without.
TEST(WeightMapping, ConductancesGiveTheWeightBack) {
  for (const CoreStyle style : {CoreStyle::balanced, CoreStyle::offset}) {
    for (const double ratio : {2.0, 10.0, std::numeric_limits<double>::infinity()}) {
      for (const int cell_bits : {0, 2, 3, 8}) {
        LayerHardware hardware;
        hardware.core.style = style;
        hardware.device.on_off_ratio = ratio;
        if (cell_bits > 0) hardware.device.cell_bits = cell_bits;
        const WeightMapping mapping = make_weight_mapping(some_weights(), hardware);
        // Half a level, in weight units; without levels, rounding.
        const double tolerance = cell_bits > 0 ? 0.5001 * 4 / ((1 << cell_bits) - 2) : 1e-14;
        for (double weight = -2; weight <= 2; weight += 0.03125) {
          EXPECT_NEAR(weight_of(mapping, mapping(weight)), weight, tolerance);
        }
        EXPECT_NEAR(weight_of(mapping, mapping(0)), 0, 1e-14) << "zero is a level";
      }
    }
  }
}

TEST(WeightMapping, WeightBitsCountTheSign) {
  LayerHardware hardware;
  hardware.core.weight_bits = 3;
  const WeightMapping mapping = make_weight_mapping(some_weights(), hardware);
  std::set<double> values;
  for (double weight = -2; weight <= 2; weight += 0.001) values.insert(mapping(weight).plus - mapping(weight).minus);
  ASSERT_EQ(values.size(), 7u);
  int k = -3;
  for (const double value : values) EXPECT_NEAR(value, k++ / 3.0, 1e-15);
  EXPECT_EQ(mapping(2 * 0.5).plus, 2 / 3.0) << "1.5 goes to the even 2";
}

/// Half a step lies between two integers: the even one.
TEST(WeightMapping, RoundsHalvesToEvenSteps) {
  LayerHardware hardware;
  hardware.core.weight_bits = 4;
  hardware.core.clip = {WeightClip::Rule::limit, 7};  // a step is 1
  const std::pair<double, double> halves[] = {{0.5, 0}, {1.5, 2}, {2.5, 2}, {3.5, 4}, {4.5, 4}, {5.5, 6}, {6.5, 6}};
  for (const CoreStyle style : {CoreStyle::balanced, CoreStyle::offset}) {
    hardware.core.style = style;
    for (const auto& [half, even] : halves) {
      for (const double sign : {-1.0, 1.0}) {
        hardware.core.slices = 1;
        const WeightMapping whole = make_weight_mapping(some_weights(), hardware);
        EXPECT_NEAR(weight_of(whole, whole(sign * half)), sign * even, 1e-14);
        hardware.core.slices = 2;
        const WeightMapping sliced = make_weight_mapping(some_weights(), hardware);
        double sum = -sliced.offset_coefficient();
        for (const int slice : {0, 1}) {
          const CellTargets cells = sliced(sign * half, slice);
          sum += sliced.output_scale(slice) * (style == CoreStyle::offset ? cells.plus : cells.plus - cells.minus);
        }
        EXPECT_NEAR(sum, sign * even, 1e-14) << half << " in slices";
      }
    }
  }
}

TEST(BiasRows, ShareTheBias) {
  Matrix expected(2, 6);
  expected << 0.5f, -2.0f, 1.0f, 0.25f, 0.25f, 0.25f, 0.0f, 0.25f, -0.75f, -2.0f, -2.0f, -2.0f;
  EXPECT_EQ(with_bias_rows(some_weights(), {0.75f, -6}, 3), expected);
  expected.rightCols(3).setZero();
  EXPECT_EQ(with_bias_rows(some_weights(), {}, 3), expected) << "a layer without a bias has the rows too";
  EXPECT_EQ(with_bias_rows(some_weights(), {0.75f, -6}, 0), some_weights());
}

TEST(WeightMapping, RefusesWhatCanNotBeHeld) {
  Matrix weights = some_weights();
  weights(0, 0) = std::nanf("");
  EXPECT_THROW(make_weight_mapping(weights, {}), Error);
  LayerHardware hardware;
  hardware.core.style = CoreStyle::offset;
  hardware.device.cell_bits = 1;
  EXPECT_THROW(make_weight_mapping(some_weights(), hardware), Error);
}

}  // namespace
}  // namespace crossgrid
