#include "crossgrid/circuit/mid_rise.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace crossgrid {
namespace {

TEST(MidRise, LevelsAreOddMultiplesOfHalfAStep) {
  const MidRise scale = mid_rise({-3, 2}, 2);
  EXPECT_EQ(scale.output(0, 0), -2.25f);
  EXPECT_EQ(scale.output(3, 0), 2.25f);
  EXPECT_EQ(scale.ratio(7), 2.0 / 3);
  EXPECT_EQ(scale.ratio(-7), -1);
  EXPECT_TRUE(std::isnan(scale.output(0, scale.ratio(NAN))));
}

TEST(AmplifierGain, IsTenToTheTwentiethOfTheDecibels) {
  for (const double db : {0.1, 20.0, 37.5, 50.0, 100.0, 399.0, 400.0}) {
    EXPECT_NEAR(amplifier_gain(db) / std::pow(10.0, db / 20), 1, 1e-13) << db;
  }
  EXPECT_TRUE(std::isfinite(amplifier_gain(1e9)));
}

}  // namespace
}  // namespace crossgrid
