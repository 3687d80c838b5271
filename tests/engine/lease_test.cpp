#include "crossgrid/engine/lease.hpp"

#include <gtest/gtest.h>

namespace crossgrid {
namespace {

TEST(LivedTime, CountsAStopOfItsOwnerAsOneStep) {
  LivedTime time(from_seconds(1));
  EXPECT_EQ(time.at(from_seconds(100)), Time(0));
  EXPECT_EQ(time.at(from_seconds(100.5)), from_seconds(0.5));
  EXPECT_EQ(time.at(from_seconds(1000)), from_seconds(1.5));
}

TEST(LivedTime, StandsStillWhereTheClockGoesBack) {
  LivedTime time;
  time.at(from_seconds(10));
  EXPECT_EQ(time.at(from_seconds(5)), Time(0));
  EXPECT_EQ(time.at(from_seconds(5.25)), from_seconds(0.25));
}

}  // namespace
}  // namespace crossgrid
