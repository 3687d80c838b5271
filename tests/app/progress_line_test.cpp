#include "crossgrid/app/progress_line.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>

#include "engine/storage_sample.hpp"

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

/// What is printed where no terminal is, in so many seconds with an update in every tenth of one.
std::string printed_in(int seconds, bool quiet) {
  testing::internal::CaptureStderr();
  SampleTime time;
  ProgressLine line(quiet, time);
  EngineProgress progress;
  progress.total = 1000;
  for (int i = 0; i < 10 * seconds; ++i) {
    time.pass(0.1);
    ++progress.done;
    line.update(progress);
  }
  line.finish();
  return testing::internal::GetCapturedStderr();
}

TEST(ProgressLine, IsOneLineInTenSecondsWhereNoTerminalIs) {
  EXPECT_EQ(printed_in(9, false), "");
  const std::string text = printed_in(65, false);
  const auto lines = std::count(text.begin(), text.end(), '\n');
  EXPECT_GE(lines, 5) << text;
  EXPECT_LE(lines, 6) << text;
  EXPECT_EQ(text.find_first_of("\r\x1b"), std::string::npos) << text;
}

TEST(ProgressLine, IsNothingWhereQuiet) {
  EXPECT_EQ(printed_in(65, true), "");
}

}  // namespace
}  // namespace crossgrid
