#include "crossgrid/backend/thread_team.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include "crossgrid/backend/executor.hpp"

namespace crossgrid {
namespace {

TEST(ThreadTeam, VisitsEveryIndexOnceOnItsLanes) {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadTeam team(threads);
    std::vector<std::atomic<int>> visits(1000);
    std::vector<std::atomic<int>> inside(static_cast<std::size_t>(threads));
    std::atomic<int> shared_lanes{0};
    for (int round = 0; round < 5; ++round) {
      team.parallel_for(visits.size(), [&](std::size_t index, int lane) {
        if (inside[static_cast<std::size_t>(lane)]++ != 0) ++shared_lanes;
        ++visits[index];
        --inside[static_cast<std::size_t>(lane)];
      });
    }
    for (const auto& count : visits) EXPECT_EQ(count, 5);
    EXPECT_EQ(shared_lanes, 0);
  }
}

TEST(ThreadTeam, PassesExceptionsOnAndStopsTheLoop) {
  ThreadTeam team(2);
  std::atomic<int> started{0};
  std::atomic<bool> failed{false};
  const auto fail = [&](std::size_t index, int) {
    ++started;
    if (index == 3) {
      failed = true;
      throw std::runtime_error("index 3");
    }
    // The other thread must not be through before this one fails, nor while the system lets it wait just then.
    while (index > 3 && !failed) std::this_thread::yield();
    if (failed) std::this_thread::sleep_for(std::chrono::microseconds(100));
  };
  EXPECT_THROW(team.parallel_for(100000, fail), std::runtime_error);
  EXPECT_LT(started, 100000);
  int after = 0;
  team.parallel_for(1, [&](std::size_t, int) { ++after; });
  EXPECT_EQ(after, 1);
  team.parallel_for(0, fail);
}

TEST(HostExecutor, RunsTasksOnItsLanes) {
  HostExecutor executor(2);
  EXPECT_EQ(executor.kind(), ExecutorKind::host);
  EXPECT_EQ(executor.lanes(), 2);
  std::atomic<std::size_t> sum{0};
  executor.run(10, [&](std::size_t task, int) { sum += task; });
  EXPECT_EQ(sum, 45u);
}

}  // namespace
}  // namespace crossgrid
