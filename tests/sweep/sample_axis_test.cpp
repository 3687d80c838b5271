#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "crossgrid/sweep/unit_cube.hpp"
#include "sample_sweep.hpp"

namespace crossgrid {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const char* const noisy =
    R"("hardware": {"adc.model": "quantizer", "device.programming_error.model": "normal_independent"})";

Json members_with(const std::string& sample, const std::string& rest = "") {
  return parse_json("{" + std::string(noisy) + R"(, "sample": )" + sample + rest + "}", "test");
}

/// Values of one column of a sample by itself.
std::vector<Json> drawn(const std::string& sample) {
  std::vector<Json> values;
  const SweepFile sweep = sample_sweep(members_with(sample));
  for (const AxisValue& value : sweep.axes.back().values) values.push_back(value.columns[0]);
  return values;
}

TEST(SampleAxis, MapsTheCubeToTheRanges) {
  const SweepFile sweep = sample_sweep(members_with(R"({"method": "sobol", "points": 4, "parameters": {
      "device.programming_error.magnitude": {"from": 0.1, "to": 0.3},
      "device.on_off_ratio": {"from": 10, "to": 1000, "scale": "log"}}})"));
  ASSERT_EQ(sweep.axes.size(), 1u);
  EXPECT_THAT(sweep.axes[0].columns, ElementsAre("device.programming_error.magnitude", "device.on_off_ratio"));
  // The sequence is (0, 0), (1/2, 1/2), (3/4, 1/4), (1/4, 3/4).
  std::vector<std::string> texts;
  for (const AxisValue& value : sweep.axes[0].values) texts.push_back(Json(value.columns).dump());
  EXPECT_THAT(texts, ElementsAre("[0.1,10]", "[0.2,100]", "[0.25,31.6227766017]", "[0.15,316.227766017]"));
}

TEST(SampleAxis, IntegersHaveEqualShares) {
  // 2^10 points of one dimension over 8 integers, ends included: each is drawn 128 times and kept once; what the counts
  // are is seen through a second, continuous parameter that keeps points apart.
  const SweepFile sweep = sample_sweep(members_with(R"({"method": "sobol", "points": 1024, "parameters": {
      "adc.bits": {"from": 3, "to": 10}, "device.programming_error.magnitude": {"from": 0.1, "to": 0.3}}})"));
  std::map<std::int64_t, int> counts;
  for (const AxisValue& value : sweep.axes[0].values) ++counts[value.columns[0].get<std::int64_t>()];
  ASSERT_EQ(counts.size(), 8u);
  for (const auto& [bits, count] : counts) EXPECT_EQ(count, 128) << bits;
  EXPECT_EQ(counts.begin()->first, 3);
  EXPECT_EQ(counts.rbegin()->first, 10);
}

TEST(SampleAxis, LogarithmicIntegersHaveTheSharesThatAreNearestToThem) {
  const SweepFile sweep = sample_sweep(members_with(R"({"method": "sobol", "points": 4096, "parameters": {
      "array.rows_max": {"from": 1, "to": 8, "scale": "log"},
      "device.programming_error.magnitude": {"from": 0.1, "to": 0.3}}})"));
  std::map<std::int64_t, int> counts;
  for (const AxisValue& value : sweep.axes[0].values) ++counts[value.columns[0].get<std::int64_t>()];
  for (std::int64_t n = 1; n <= 8; ++n) {
    const double share = std::log((static_cast<double>(n) + 0.5) / (static_cast<double>(n) - 0.5)) / std::log(17.0);
    EXPECT_NEAR(counts[n], 4096 * share, 1.01) << n;
  }
}

TEST(SampleAxis, LeavesOutPointsThatWereThere) {
  const std::string bits = R"("parameters": {"adc.bits": {"from": 4, "to": 7}})";
  EXPECT_THAT(drawn(R"({"method": "sobol", "points": 16, )" + bits + "}"), ElementsAre(4, 6, 7, 5));
  EXPECT_EQ(drawn(R"({"method": "latin_hypercube", "points": 40, )" + bits + "}").size(), 4u);
}

TEST(SampleAxis, IsTheFastestAxisBesideTheGrid) {
  const SweepFile sweep = sample_sweep(members_with(
      R"({"method": "latin_hypercube", "points": 3, "seed": 2,
          "parameters": {"device.programming_error.magnitude": {"from": 0.1, "to": 0.3}}})",
      R"(, "grid": {"adc.bits": [4, 6]}, "exclude": [{"adc.bits": 4, "device.programming_error.magnitude": {"above": 0.2}}])"));
  const Grid grid(sweep, sample_context());
  EXPECT_THAT(grid.columns(), ElementsAre("adc.bits", "device.programming_error.magnitude"));
  std::map<int, std::set<double>> magnitudes;
  for (std::uint64_t i = 0; i < grid.size(); ++i) {
    const Point point = grid.point(i);
    EXPECT_EQ(point.hardware[0].device.programming_error.magnitude, point.axes[1].second.get<double>());
    magnitudes[point.axes[0].second].insert(point.axes[1].second.get<double>());
  }
  EXPECT_EQ(magnitudes[6].size(), 3u);
  for (const double magnitude : magnitudes[4]) {
    EXPECT_LE(magnitude, 0.2);
    EXPECT_TRUE(magnitudes[6].contains(magnitude)) << "the same sample at every combination of the grid";
  }
  EXPECT_GE(magnitudes[4].size(), 1u);
}

TEST(SampleAxis, MorePointsOfASequenceComputeOnlyTheNewOnes) {
  const auto ids = [](int points) {
    const Grid grid(sample_sweep(members_with(R"({"method": "sobol", "seed": 1, "points": )" + std::to_string(points) +
                                              R"(, "parameters": {"adc.bits": {"from": 4, "to": 8},
              "device.programming_error.magnitude": {"from": 0.1, "to": 0.3}}})")),
                    sample_context());
    std::vector<Id128> list;
    for (std::uint64_t i = 0; i < grid.size(); ++i) list.push_back(grid.id(i));
    return list;
  };
  const auto few = ids(8), many = ids(32);
  ASSERT_EQ(many.size(), 32u);
  EXPECT_TRUE(std::equal(few.begin(), few.end(), many.begin()));
}

TEST(SampleAxis, RefusesAParameterWithoutEffectBesideOneThatHasOne) {
  const Json members = parse_json(
      R"({"hardware": {"device.programming_error.model": "normal_independent"},
          "sample": {"method": "sobol", "points": 4, "parameters": {
              "device.programming_error.magnitude": {"from": 0.1, "to": 0.3}, "adc.bits": {"from": 4, "to": 8}}}})",
      "test");
  EXPECT_THAT(message_of([&] { Grid(sample_sweep(members), sample_context()); }),
              HasSubstr("sweep.json: /sample/parameters/adc.bits: has no effect: "));
}

TEST(SampleAxis, CommandLinesChangeItsFieldsButNotItsParameters) {
  const Json members =
      members_with(R"({"method": "sobol", "points": 4, "parameters": {"adc.bits": {"from": 4, "to": 7}}})");
  SweepOverrides overrides;
  overrides.set = {"sample.points=2", "sample.method=latin_hypercube", "sample.seed=3"};
  EXPECT_EQ(sample_sweep(members, overrides).axes[0].values.size(), 2u);
  overrides.set = {"adc.bits=5"};
  EXPECT_THAT(message_of([&] { sample_sweep(members, overrides); }),
              HasSubstr("--set adc.bits=5: has no effect: 'adc.bits' is drawn by 'sample'"));
}

}  // namespace
}  // namespace crossgrid
