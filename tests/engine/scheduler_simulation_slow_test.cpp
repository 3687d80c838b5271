#include <gtest/gtest.h>

#include <ctime>
#include <iostream>

#include "engine/scheduler_simulation.hpp"
#include "slow_sample.hpp"

namespace crossgrid::simulation {
namespace {

TEST(SchedulerSimulationSlow, RecordsEachUnitOnceInFixedSeeds) {
  const auto sample = slow_sample();
  EXPECT_EQ(simulate(1'000'000 + (sample ? *sample % 45'000 : 0), sample ? 5'000 : 50'000).violation, "");
}

TEST(SchedulerSimulationSlow, RecordsEachUnitOnceInNewSeeds) {
  const auto first = static_cast<std::uint64_t>(std::time(nullptr)) * 100'000;
  std::cout << "seeds from " << first << '\n';
  EXPECT_EQ(simulate(first, slow_sample() ? 5'000 : 50'000).violation, "");
}

}  // namespace
}  // namespace crossgrid::simulation
