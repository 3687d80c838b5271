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

TEST(AboutText, IsNotAboutUnderASecond) {
  EXPECT_EQ(about_text(0.3), "under 1 s");
  EXPECT_EQ(about_text(60), "about 1 min 00 s");
}

TEST(Counted, IsOneOfOne) {
  EXPECT_EQ(counted(1, "point"), "1 point");
  EXPECT_EQ(counted(0, "point"), "0 points");
  EXPECT_EQ(counted(1000, "test image"), "1,000 test images");
}

TEST(Grouped, SeparatesThousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1234567), "1,234,567");
}

}  // namespace
}  // namespace crossgrid
