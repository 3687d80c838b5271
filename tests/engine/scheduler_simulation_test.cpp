#include "engine/scheduler_simulation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace crossgrid::simulation {
namespace {

using testing::HasSubstr;

TEST(SchedulerSimulation, RecordsEachUnitOnceWhateverHappens) {
  const Findings findings = simulate(1, 10'000);
  EXPECT_EQ(findings.violation, "");
  if (std::getenv("CROSSGRID_SIMULATION_SEED") != nullptr) return;
  // The rare cases were met, many times each.
  EXPECT_GT(findings.coverage.completed, 8000u);
  EXPECT_GT(findings.coverage.stopped, 100u);
  EXPECT_GT(findings.coverage.killed, 100u);
  EXPECT_GT(findings.coverage.failed, 500u);
  EXPECT_GT(findings.coverage.retried, 5000u);
  EXPECT_GT(findings.coverage.duplicates, 50u);
  EXPECT_GT(findings.coverage.lost_workers, 500u);
  EXPECT_GT(findings.coverage.recalls, 500u);
  EXPECT_GT(findings.coverage.forgotten, 100u);
  EXPECT_GT(findings.coverage.retired, 100u);
  EXPECT_GT(findings.coverage.held, 1000u);
  EXPECT_GT(findings.coverage.refused, 10u);
  EXPECT_GT(findings.coverage.rounds, 10'000u);
}

// The simulation must be able to fail: each deliberate fault is found within the seeds of the quick test.
TEST(SchedulerSimulation, FindsLeasesThatNeverLapse) {
  EXPECT_THAT(simulate(1, 500, SchedulerBug::lease_never_lapses).violation, HasSubstr("not finished in bounded time"));
}
TEST(SchedulerSimulation, FindsAttemptsThatAreNotCounted) {
  EXPECT_THAT(simulate(1, 500, SchedulerBug::attempts_not_counted).violation,
              HasSubstr("(replay: CROSSGRID_SIMULATION_SEED="));
}
TEST(SchedulerSimulation, FindsDuplicatesThatAreAcceptedTwice) {
  EXPECT_THAT(simulate(1, 500, SchedulerBug::duplicates_accepted).violation, HasSubstr("recorded twice"));
}

TEST(SchedulerSimulation, FindsRunsThatEndBeforeTheirResultsAreDurable) {
  EXPECT_THAT(simulate(1, 500, SchedulerBug::ends_before_durable).violation, HasSubstr("may still be lost"));
}
TEST(SchedulerSimulation, FindsReturnedUnitsThatAreForgotten) {
  EXPECT_THAT(simulate(1, 500, SchedulerBug::returned_units_forgotten).violation,
              HasSubstr("not finished in bounded time"));
}
TEST(SchedulerSimulation, FindsConflictsThatAreOverlooked) {
  EXPECT_THAT(simulate(1, 2000, SchedulerBug::conflicts_overlooked).violation, HasSubstr("nobody says so"));
}
TEST(SchedulerSimulation, FindsBrokenDevicesThatAreKept) {
  EXPECT_THAT(simulate(1, 500, SchedulerBug::faulty_workers_kept).violation, HasSubstr("a broken device got"));
}

}  // namespace
}  // namespace crossgrid::simulation
