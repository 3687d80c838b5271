#include "crossgrid/device/curve.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace crossgrid {
namespace {

using Quantity = Curve::Quantity;

Curve curve_of(CurveLaw law, std::vector<double> parameters, std::vector<double> points = {}) {
  Curve curve;
  curve.law = law;
  curve.parameters = std::move(parameters);
  curve.points = std::move(points);
  curve.argument = curve.value = Quantity::number;
  return curve;
}

double value(const Curve& curve, double x) {
  return curve.view(1, 1)(x);
}

TEST(Curve, FollowsItsLaw) {
  for (double x = 0.001; x < 3; x += 0.01) {
    EXPECT_NEAR(value(curve_of(CurveLaw::polynomial, {1, -2, 3}), x), 1 - 2 * x + 3 * x * x, 1e-14);
    EXPECT_NEAR(value(curve_of(CurveLaw::saturating_exponential, {2, 0.5}), x), 2 * (1 - std::exp(-x / 0.5)), 1e-14);
    EXPECT_NEAR(value(curve_of(CurveLaw::logarithmic, {-0.5, 2}), x), 2 - 0.5 * std::log(x), 1e-14);
    EXPECT_NEAR(value(curve_of(CurveLaw::power, {2, -0.65}), x), 2 * std::pow(x, -0.65), 1e-13 * std::pow(x, -0.65));
    EXPECT_NEAR(value(curve_of(CurveLaw::power, {2, 1.5}), x), 2 * std::pow(x, 1.5), 1e-13);
  }
  EXPECT_NEAR(value(curve_of(CurveLaw::saturating_exponential, {2, 0.5}), -0.1), 2 * (1 - std::exp(0.2)), 1e-14);
}

TEST(Curve, TablesAreLinearBetweenPointsAndConstantBeyond) {
  const Curve table = curve_of(CurveLaw::table, {1, 3, 2}, {0.5, 1, 2});
  EXPECT_EQ(value(table, 0), 1);
  EXPECT_EQ(value(table, 0.5), 1);
  EXPECT_EQ(value(table, 0.75), 2);
  EXPECT_EQ(value(table, 1), 3);
  EXPECT_EQ(value(table, 1.5), 2.5);
  EXPECT_EQ(value(table, 9), 2);
}

TEST(Curve, LevelsTakeTheNearestPoint) {
  const Curve levels = curve_of(CurveLaw::levels, {5, 6, 7}, {0, 1, 3});
  EXPECT_EQ(value(levels, -1), 5);
  EXPECT_EQ(value(levels, 0.5), 5) << "a tie";
  EXPECT_EQ(value(levels, 0.6), 6);
  EXPECT_EQ(value(levels, 2.1), 7);
  EXPECT_EQ(value(curve_of(CurveLaw::levels, {5}, {1}), 4), 5);
}

/// 1 uS at Gmax 20 uS and 0.5 V: x = 0.05 -> 1 uS or 500 nA.
TEST(Curve, ConvertsUnitsOfArgumentAndValue) {
  Curve curve = curve_of(CurveLaw::polynomial, {0, 1});
  curve.argument = curve.value = Quantity::conductance;
  curve.argument_unit = curve.value_unit = 1e-6;
  EXPECT_NEAR(curve.view(20e-6, 0.5)(0.05), 0.05, 1e-16);
  curve.argument = Quantity::current;
  curve.argument_unit = 1e-9;
  EXPECT_NEAR(curve.view(20e-6, 0.5)(0.05), 500 * 1e-6 / 20e-6, 1e-12);
  curve.value = Quantity::current;
  curve.value_unit = 1e-9;
  EXPECT_NEAR(curve.view(20e-6, 0.5)(0.05), 0.05, 1e-16);
  curve.argument = Quantity::conductance;
  curve.argument_unit = 1;
  curve.argument_log10 = true;
  curve.value = Quantity::number;
  curve.value_unit = 1;
  EXPECT_NEAR(curve.view(20e-6, 0.5)(0.05), -6, 1e-14);
}

TEST(Curve, KeepsToItsLimits) {
  Curve curve = curve_of(CurveLaw::logarithmic, {-0.0155, 0.0244});
  curve.low = 0.049, curve.high = 0.1;
  EXPECT_EQ(value(curve, 1), 0.049);
  EXPECT_EQ(value(curve, 0), 0.1);
}

TEST(CurveAtTime, IsLinearInTimeBetweenAndBeyond) {
  const std::vector<double> times{0, 1, 3};
  const std::vector<Curve> curves{curve_of(CurveLaw::polynomial, {1, 0}), curve_of(CurveLaw::polynomial, {2, 1}),
                                  curve_of(CurveLaw::polynomial, {6, 1})};
  const auto first = [&](double t) { return curve_at_time(times, curves, t).parameters[0]; };
  EXPECT_EQ(first(0), 1);
  EXPECT_EQ(first(0.5), 1.5);
  EXPECT_EQ(first(1), 2);
  EXPECT_EQ(first(2), 4);
  EXPECT_EQ(first(3), 6);
  EXPECT_EQ(first(4), 8);
  EXPECT_EQ(curve_at_time(times, curves, 0.5).parameters[1], 0.5);
  EXPECT_EQ(curve_at_time(std::vector<double>{2}, {curves.data(), 1}, 7).parameters[0], 1);
}

}  // namespace
}  // namespace crossgrid
