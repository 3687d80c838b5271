#include "crossgrid/app/sweep_units.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <tuple>

#include "crossgrid/base/json.hpp"

namespace crossgrid {
namespace {

const std::string source = CROSSGRID_TEST_SOURCE_DIR;

/// Programming error makes chips differ where its magnitude is not zero.
SweepContext context(std::uint64_t first, std::uint64_t count) {
  const Json sweep = {
      {"name", "units"},
      {"network", source + "/data/digits-cnn.json"},
      {"dataset", {{"path", source + "/data/digits"}, {"images", {{"first", first}, {"count", count}}}}},
      {"hardware", {{"adc.model", "quantizer"}, {"device.programming_error.model", "normal_independent"}}},
      {"grid", {{"adc.bits", {4, 5}}, {"device.programming_error.magnitude", {0.0, 0.1}}}},
      {"trials", 3}};
  return load_sweep_context(parse_sweep(sweep, source + "/units.json"));
}

std::vector<Unit> all_units(SweepUnits& units) {
  std::vector<Unit> all;
  while (const auto unit = units.next()) all.push_back(unit->unit);
  return all;
}

TEST(SweepUnits, CoverEachChipOnceAndCutAtMultiples) {
  const SweepContext sweep = context(10, 90);
  const RecordedWork nothing;
  SweepUnits units(sweep, nothing, 32, false);
  std::map<std::pair<std::uint64_t, std::uint32_t>, std::uint64_t> next_image;
  const std::vector<Unit> all = all_units(units);
  EXPECT_EQ(all.size(), units.total());
  for (const Unit& unit : all) {
    auto& next = next_image.try_emplace({unit.point, unit.trial}, 10).first->second;
    EXPECT_EQ(unit.first, next);
    next += unit.count;
    EXPECT_TRUE(next % 32 == 0 || next == 100) << next;
  }
  // Without error a point is deterministic: 2 points of 1 trial, 2 points of 3.
  EXPECT_EQ(next_image.size(), 8u);
  for (const auto& [chip, next] : next_image) EXPECT_EQ(next, 100u);
}

TEST(SweepUnits, ShardsShareAllUnits) {
  const SweepContext sweep = context(10, 90);
  const RecordedWork nothing;
  SweepUnits whole(sweep, nothing, 32, false);
  std::multiset<std::tuple<std::uint64_t, std::uint32_t, std::uint64_t>> expected, found;
  for (const Unit& unit : all_units(whole)) expected.emplace(unit.point, unit.trial, unit.first);
  for (std::uint32_t number = 1; number <= 3; ++number) {
    SweepUnits part(sweep, nothing, 32, false, Shard{number, 3});
    const std::vector<Unit> units = all_units(part);
    EXPECT_EQ(units.size(), part.total());
    EXPECT_GE(units.size(), 2u * 4);  // of 8 chips, 4 units each
    for (const Unit& unit : units) found.emplace(unit.point, unit.trial, unit.first);
  }
  EXPECT_EQ(found, expected);
}

TEST(SweepUnits, LeaveOutWhatIsRecorded) {
  const SweepContext sweep = context(0, 64);
  RecordedWork work;
  UnitRecord record;
  record.point = sweep.grid.id(1);
  record.result.unit = {1, 2, 0, 40};
  MetricSum sum;
  for (int i = 0; i < 40; ++i) sum.add(1);
  record.result.metrics = {{"top1", sum}};
  work.add(record);
  SweepUnits units(sweep, work, 64, false);
  std::uint64_t images = 0;
  for (const Unit& unit : all_units(units)) {
    images += unit.count;
    if (unit.point == 1 && unit.trial == 2) {
      EXPECT_EQ(unit, (Unit{1, 2, 40, 24}));
    }
  }
  EXPECT_EQ(images, 8u * 64u - 40u);
}

TEST(DefaultUnitImages, AreWholeTrialsWhereThereAreManyChips) {
  EXPECT_EQ(default_unit_images(500, 180, 2), 512u);
  EXPECT_EQ(default_unit_images(100000, 180, 2), 2048u);
}

TEST(DefaultUnitImages, AreCutWhereChipsAreFew) {
  EXPECT_EQ(default_unit_images(10000, 1, 4), 320u);
  EXPECT_EQ(default_unit_images(10, 1, 4), 64u);
}

}  // namespace
}  // namespace crossgrid
