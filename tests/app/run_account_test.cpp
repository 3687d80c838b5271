#include "crossgrid/app/run_account.hpp"

#include <gtest/gtest.h>

namespace crossgrid {
namespace {

/// 100 units of cost 2 each, predicted to take 4 s each on 2 threads: 400 s of run time on 4 workers.
RunAccount sample_account(std::uint64_t units, double cost, double unit_seconds) {
  RunAccount account;
  account.predicted = {.units = 100,
                       .workers = 4,
                       .threads = 2,
                       .cost = 200,
                       .unit_seconds = 400,
                       .seconds = 100,
                       .megabytes = 80,
                       .disk_megabytes = 1.25};
  account.measured = {.units = units, .cost = cost, .unit_seconds = unit_seconds, .seconds = 31, .megabytes = 75};
  return account;
}

TEST(RunAccount, PredictsFromCostsWorkersAndThreads) {
  WorkEstimate work;
  work.points = 10, work.chips = 20, work.inferences = 2000;
  work.seconds_per_unit = 0.5, work.seconds_per_image = 0.01, work.megabytes = 80;
  const RunAccount::Predicted predicted = predict_run(work, 40, 40, 4, 2);
  EXPECT_EQ(predicted.units, 40u);
  EXPECT_DOUBLE_EQ(predicted.cost, 40 * 0.5 + 2000 * 0.01);
  EXPECT_DOUBLE_EQ(predicted.unit_seconds, 20);
  EXPECT_DOUBLE_EQ(predicted.seconds, 5);
}

TEST(RunAccount, SaysNothingBeforeTheFirstTwentiethOfTheUnits) {
  EXPECT_FALSE(time_ratio(sample_account(4, 8, 32)));
  EXPECT_FALSE(seconds_left(sample_account(4, 8, 32), 0));
  EXPECT_TRUE(time_ratio(sample_account(5, 10, 40)));
}

TEST(RunAccount, ComparesRunTimesByTheCostsOfTheUnitsThatEnded) {
  // 5 units, dear ones: a tenth of the cost, predicted to take 40 s, took 60 s.
  const RunAccount account = sample_account(5, 20, 60);
  EXPECT_DOUBLE_EQ(time_ratio(account).value(), 1.5);
  EXPECT_DOUBLE_EQ(seconds_left(account, 0).value(), 100 * 0.9 * 1.5);
  EXPECT_DOUBLE_EQ(seconds_left(account, 15).value(), 120);
  EXPECT_DOUBLE_EQ(seconds_left(account, 1000).value(), 0);
  // By the number of units alone it would have been three times.
  EXPECT_NE(time_ratio(account).value(), 60 / (0.05 * 400));
}

TEST(RunAccount, HasNoRatioOfNothing) {
  EXPECT_FALSE(time_ratio(RunAccount{}));
  EXPECT_FALSE(time_ratio(sample_account(50, 0, 0)));
}

TEST(RunAccount, ReadsAsTwoLines) {
  EXPECT_EQ(predicted_text(sample_account(0, 0, 0)),
            "100 units in about 1 min 40 s on 4 workers x 2 threads, 80 MB per worker, 1.2 MB on disk");
  EXPECT_EQ(measured_text(sample_account(4, 8, 32), 0.5),
            "4 of 100 units in 31 s, too few to compare (from 5 % on); 75 MB per worker, 0.5 MB on disk");
  EXPECT_EQ(measured_text(sample_account(5, 20, 60), 0.5),
            "5 of 100 units in 31 s, 1.5 times as long as predicted: about 2 min 30 s in all; 75 MB per worker, 0.5 MB "
            "on disk");
  EXPECT_EQ(measured_text(sample_account(100, 200, 600), 12),
            "100 units in 31 s, 1.5 times as long as predicted; 75 MB per worker, 12 MB on disk");
}

}  // namespace
}  // namespace crossgrid
