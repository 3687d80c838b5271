#include "crossgrid/device/cell_fault.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "crossgrid/base/uniform.hpp"

namespace crossgrid {
namespace {

DeviceConfig device_of(double stuck_on, double stuck_off) {
  DeviceConfig device;
  device.on_off_ratio = 10;
  device.faults = {stuck_on, stuck_off};
  return device;
}

/// Cells of 0.5 after their faults.
std::vector<float> cells(double stuck_on, double stuck_off) {
  std::vector<float> draws(1 << 20), made;
  fill_uniforms(draws, {{{7, 8}}, 0, 0}, 0);
  const CellFault fault = make_cell_fault(device_of(stuck_on, stuck_off));
  for (const float u : draws) made.push_back(fault(0.5f, u));
  return made;
}

/// Stuck cells against a binomial count, in standard errors.
double count_z(const std::vector<float>& cells, float value, double rate) {
  const auto n = static_cast<double>(cells.size());
  return (static_cast<double>(std::ranges::count(cells, value)) - n * rate) / std::sqrt(n * rate * (1 - rate));
}

TEST(CellFault, SticksTheStatedFractions) {
  const std::vector<float> made = cells(0.02, 0.05);
  EXPECT_LT(std::abs(count_z(made, 1.0f, 0.02)), 4.9);
  EXPECT_LT(std::abs(count_z(made, 0.1f, 0.05)), 4.9);
  EXPECT_GT(count_z(cells(0.021, 0.05), 1.0f, 0.02), 4.9) << "a rate 5 % too large goes unseen";
}

TEST(CellFault, NoneAndAllAreExact) {
  for (const float cell : cells(0, 0)) ASSERT_EQ(cell, 0.5f);
  for (const float cell : cells(1, 0)) ASSERT_EQ(cell, 1.0f);
  for (const float cell : cells(0, 1)) ASSERT_EQ(cell, 0.1f);
  const CellFault none = make_cell_fault(device_of(0, 0)), all = make_cell_fault(device_of(0, 1));
  EXPECT_EQ(none(0.5f, standard_uniform(0x7fffffffu)), 0.5f);
  EXPECT_EQ(all(0.5f, standard_uniform(0x7fffffffu)), 0.1f);
}

TEST(CellFault, AHigherRateKeepsTheCellsThatAreStuck) {
  const std::vector<float> few = cells(0.01, 0.01), more = cells(0.02, 0.03);
  for (std::size_t k = 0; k < few.size(); ++k) {
    if (few[k] != 0.5f) {
      ASSERT_EQ(more[k], few[k]);
    }
  }
}

}  // namespace
}  // namespace crossgrid
