#include "crossgrid/app/work_estimate.hpp"

#include <gtest/gtest.h>

namespace crossgrid {
namespace {

TEST(DurationText, UsesTwoUnitsAtMost) {
  EXPECT_EQ(duration_text(0.3), "under 1 s");
  EXPECT_EQ(duration_text(59.4), "59 s");
  EXPECT_EQ(duration_text(60), "1 min 00 s");
  EXPECT_EQ(duration_text(3599.6), "1 h 00 min");
  EXPECT_EQ(duration_text(26 * 3600), "1 d 2 h");
  EXPECT_EQ(duration_text(-5), "under 1 s");
}

TEST(Grouped, SeparatesThousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1234567), "1,234,567");
}

}  // namespace
}  // namespace crossgrid
