#include "crossgrid/app/progress_line.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace crossgrid {
namespace {

TEST(ProgressText, SaysPartRateAndTimeLeft) {
  EngineProgress progress;
  progress.total = 4000;
  progress.done = 1200;
  progress.rate = 410;
  progress.eta = 6.8;
  EXPECT_EQ(progress_text(progress), "1,200 of 4,000 units, 30.0 %, 410 units/s, 7 s left");
}

TEST(ProgressText, CountsFailedUnitsAsEndedAndNamesThem) {
  EngineProgress progress;
  progress.total = 10;
  progress.done = 3;
  progress.failed = 2;
  progress.retried = 4;
  progress.eta = std::numeric_limits<double>::infinity();
  EXPECT_EQ(progress_text(progress), "5 of 10 units, 50.0 %, 0 units/s, 2 failed, 4 retried");
}

TEST(ProgressText, OfNothingIsComplete) {
  EXPECT_EQ(progress_text({}), "0 of 0 units, 100.0 %, 0 units/s, under 1 s left");
}

}  // namespace
}  // namespace crossgrid
