#include <gtest/gtest.h>

#include <iostream>

#include "engine/measured_spreads.hpp"
#include "slow_sample.hpp"

namespace crossgrid::efficiency {
namespace {

TEST(SchedulerEfficiencySlow, KeepsFourThousandWorkersBusy) {
  const auto sample = slow_sample();
  for (std::size_t i = 0; i < measured_spreads.size(); ++i) {
    if (sample && i != *sample % measured_spreads.size()) continue;
    Cluster cluster;
    cluster.workers = sample ? 1024 : 4096;
    cluster.units_per_worker = 200;
    cluster.spread = measured_spreads[i].spread;
    const Outline run = Simulation(cluster, 1).run();
    std::cout << measured_spreads[i].sweep << ": efficiency " << run.efficiency << ", rank 0 at work "
              << run.rank0_share << " of the time\n";
    EXPECT_GE(run.efficiency, 0.95) << measured_spreads[i].sweep;
  }
}

}  // namespace
}  // namespace crossgrid::efficiency
