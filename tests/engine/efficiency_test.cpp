#include <gtest/gtest.h>

#include "engine/measured_spreads.hpp"

namespace crossgrid::efficiency {
namespace {

Cluster cluster_of(int workers, const MeasuredSpread& measured) {
  Cluster cluster;
  cluster.workers = workers;
  cluster.units_per_worker = 200;
  cluster.spread = measured.spread;
  return cluster;
}

TEST(SchedulerEfficiency, KeepsHundredsOfWorkersBusy) {
  for (const MeasuredSpread& measured : measured_spreads) {
    const Outline run = Simulation(cluster_of(256, measured), 1).run();
    EXPECT_GE(run.efficiency, 0.95) << measured.sweep;
    EXPECT_LT(run.rank0_share, 0.5) << measured.sweep;
    EXPECT_EQ(run.units, 256u * 200u);
  }
}

// The measure must be able to fall: messages that take rank 0 longer than the workers take for their units.
TEST(SchedulerEfficiency, FallsWhereRankZeroIsTooSlow) {
  Cluster cluster = cluster_of(16, measured_spreads[3]);
  cluster.mean_seconds = 0.02;
  cluster.message_seconds = 5e-3;
  EXPECT_LT(Simulation(cluster, 1).run().efficiency, 0.5);
}

}  // namespace
}  // namespace crossgrid::efficiency
