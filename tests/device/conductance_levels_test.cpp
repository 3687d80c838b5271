#include "crossgrid/device/conductance_levels.hpp"

#include <gtest/gtest.h>

namespace crossgrid {
namespace {

TEST(ConductanceLevels, AreEquallySpacedWithBothEnds) {
  const ConductanceLevels<double> levels{0.1, 7};  // 3 bits
  for (int k = 0; k < 8; ++k) {
    const double level = 0.1 + 0.9 * k / 7;
    EXPECT_NEAR(levels(level), level, 1e-15);
    EXPECT_NEAR(levels(level + 0.9 / 7 * 0.499), level, 1e-15);
    EXPECT_NEAR(levels(level - 0.9 / 7 * 0.499), level, 1e-15);
  }
}

TEST(ConductanceLevels, TiesGoToTheEvenLevel) {
  const ConductanceLevels<float> levels{0, 4};
  EXPECT_EQ(levels(0.125f), 0.0f);
  EXPECT_EQ(levels(0.375f), 0.5f);
  EXPECT_EQ(levels(0.625f), 0.5f);
  EXPECT_EQ(levels(0.875f), 1.0f);
}

}  // namespace
}  // namespace crossgrid
