#include "crossgrid/circuit/step_table.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace crossgrid {
namespace {

TEST(StepTable, CountsTheThresholdsBelow) {
  for (int steps = 0; steps < 20; ++steps) {
    std::vector<double> thresholds;
    std::vector<float> outputs{0};
    for (int k = 0; k < steps; ++k) {
      thresholds.push_back(k);
      outputs.push_back(static_cast<float>(k + 1));
    }
    const StepTableData data(thresholds, outputs);
    const StepTable table = data.table();
    EXPECT_EQ(table(-0.5), 0);
    EXPECT_EQ(table(1e300), static_cast<float>(steps));
    EXPECT_EQ(table(INFINITY), static_cast<float>(steps));
    EXPECT_TRUE(std::isnan(table(NAN)));
    for (int k = 0; k < steps; ++k) {
      EXPECT_EQ(table(k), static_cast<float>(k));
      EXPECT_EQ(table(k + 0.5), static_cast<float>(k + 1));
    }
  }
}

TEST(StepTable, TiesGoWhereTheyAreTold) {
  const StepTableData down({threshold_between(1, 2, false)}, {0, 1}), up({threshold_between(1, 2, true)}, {0, 1});
  EXPECT_EQ(down.table()(1.5), 0);
  EXPECT_EQ(up.table()(1.5), 1);
  EXPECT_EQ(up.table()(std::nextafter(1.5, 0)), 0);
}

}  // namespace
}  // namespace crossgrid
