#include "crossgrid/base/rounding.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace crossgrid {
namespace {

TEST(RoundHalfEven, EqualsTheProcessorsRounding) {
  for (float x = -70000; x < 70000; x += 0.125f) ASSERT_EQ(round_half_even(x), std::nearbyint(x)) << x;
  for (double x = -70000; x < 70000; x += 0.125) ASSERT_EQ(round_half_even(x), std::nearbyint(x)) << x;
  EXPECT_EQ(round_half_even(4194302.5f), 4194302.0f);
  EXPECT_TRUE(std::isnan(round_half_even(std::nanf(""))));
}

TEST(Limited, KeepsNotANumber) {
  EXPECT_EQ(limited(2.0f, -1.0f, 1.0f), 1.0f);
  EXPECT_EQ(limited(-2.0f, -1.0f, 1.0f), -1.0f);
  EXPECT_EQ(limited(0.5f, -1.0f, 1.0f), 0.5f);
  EXPECT_TRUE(std::isnan(limited(std::nanf(""), -1.0f, 1.0f)));
}

}  // namespace
}  // namespace crossgrid
