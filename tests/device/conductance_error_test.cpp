#include "crossgrid/device/conductance_error.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace crossgrid {
namespace {

TEST(ConductanceError, FollowsItsLaw) {
  const auto none = make_error<float>({ErrorModel::none, 0.5});
  EXPECT_EQ(none(0.25f, 3.0f), 0.25f);
  const auto independent = make_error<float>({ErrorModel::normal_independent, 0.125});
  EXPECT_EQ(independent.sigma(0.5f), 0.125f);
  EXPECT_EQ(independent(0.25f, 2.0f), 0.5f);
  const auto proportional = make_error<float>({ErrorModel::normal_proportional, 0.125});
  EXPECT_EQ(proportional.sigma(0.5f), 0.0625f);
  EXPECT_EQ(proportional(0.5f, -2.0f), 0.375f);
  EXPECT_EQ(proportional(0.0f, -2.0f), 0.0f);
  const auto inverse = make_error<float>({ErrorModel::normal_inverse, 0.125});
  EXPECT_EQ(inverse.sigma(0.5f), 0.25f);
  EXPECT_EQ(inverse(0.5f, 1.0f), 0.75f);
  EXPECT_EQ(inverse(0.0f, 1.0f), 0.0f);
}

/// The magnitude is the full width: the ends are half of it away.
TEST(ConductanceError, OfAUniformLawReachesHalfItsMagnitude) {
  const float end = std::sqrt(3.0f);
  EXPECT_FLOAT_EQ(make_error<float>({ErrorModel::uniform_independent, 0.25})(0.5f, end), 0.625f);
  EXPECT_FLOAT_EQ(make_error<float>({ErrorModel::uniform_proportional, 0.25})(0.5f, -end), 0.4375f);
  EXPECT_FLOAT_EQ(make_error<float>({ErrorModel::uniform_inverse, 0.25})(0.5f, end), 0.75f);
}

TEST(ErrorConfig, NamesItsLaw) {
  EXPECT_EQ((ErrorConfig{ErrorModel::normal_inverse, 1}.law()), DrawLaw::normal);
  EXPECT_EQ((ErrorConfig{ErrorModel::uniform_independent, 1}.law()), DrawLaw::uniform);
  EXPECT_EQ((ErrorConfig{ErrorModel::uniform_inverse, 1}.law()), DrawLaw::uniform);
}

TEST(ConductanceLimits, AreZeroOrTheProgrammableRange) {
  DeviceConfig device;
  device.on_off_ratio = 4;
  EXPECT_EQ(make_limits<float>(device)(-0.1f), 0.0f);
  EXPECT_EQ(make_limits<float>(device)(7.0f), 7.0f);
  device.clip = true;
  EXPECT_EQ(make_limits<float>(device)(-0.1f), 0.25f);
  EXPECT_EQ(make_limits<float>(device)(7.0f), 1.0f);
  EXPECT_EQ(make_limits<float>(device)(0.5f), 0.5f);
  EXPECT_TRUE(std::isnan(make_limits<float>(device)(std::nanf(""))));
}

}  // namespace
}  // namespace crossgrid
