#include "crossgrid/engine/round_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <set>

#include "sweep/sample_sweep.hpp"

namespace crossgrid {
namespace {

using testing::ElementsAre;

constexpr ImageSpan images{0, 100};
constexpr std::uint64_t one = std::uint64_t{1} << 32;

/// top1 of a trial of a point, in hundredths.
using Truth = std::function<int(std::uint64_t index, std::uint32_t trial)>;

/// A world in which units are run at once and give what `truth` says.
struct World {
  World(const std::string& rest, Truth rule)
      : sweep(sample_sweep(parse_json(
            R"({"hardware": {"adc.model": "quantizer", "device.programming_error.model": "normal_independent",
                             "device.programming_error.magnitude": 0.1}, "metrics": ["top1"], )" +
                rest + "}",
            "test"))),
        grid(sweep, sample_context()),
        plan(sweep, grid, images),
        truth(std::move(rule)) {}

  UnitRecord record(std::uint64_t index, std::uint32_t trial) const {
    UnitRecord record;
    record.point = grid.id(index);
    record.host = "host";
    record.result.unit = {index, trial, images.first, static_cast<std::uint32_t>(images.count)};
    const int value = truth(index, trial);
    if (value < 0) {
      record.result.status = UnitStatus::failed;
      record.result.reason = "bang";
      return record;
    }
    MetricSum& sum = record.result.metrics["top1"];
    sum.sum = static_cast<Int128>(value) * one;
    sum.count = images.count;
    return record;
  }

  /// What is left to do of what is chosen.
  std::vector<std::pair<std::uint64_t, std::uint32_t>> missing(const RecordedWork& work) const {
    std::vector<std::pair<std::uint64_t, std::uint32_t>> list;
    for_each_chip(plan.choose(work).points, [&](const Chip& chip) {
      if (!work.missing(chip.point, chip.trial, images, sweep.metrics).empty())
        list.emplace_back(chip.index, chip.trial);
    });
    return list;
  }

  /// Runs to the end; units of a round in the order of `shuffle`.
  RecordedWork finished(std::mt19937* shuffle = nullptr) const {
    RecordedWork work;
    for (auto open = missing(work); !open.empty(); open = missing(work)) {
      if (shuffle) std::shuffle(open.begin(), open.end(), *shuffle);
      for (const auto& [index, trial] : open) work.add(record(index, trial));
      EXPECT_LE(plan.choose(work).round, plan.bound().rounds);
    }
    return work;
  }

  std::vector<ChosenPoint> chosen(const RecordedWork& work) const {
    const ChosenPoints points = plan.choose(work).points;
    std::vector<ChosenPoint> list;
    for (std::uint64_t n = 0; n < points.size(); ++n) list.push_back(points[n]);
    return list;
  }

  SweepFile sweep;
  Grid grid;
  RoundPlan plan;
  Truth truth;
};

/// 3 lines of 17 values of an axis.
std::string searched(const std::string& threshold) {
  return R"("grid": {"device.programming_error.magnitude": {"from": 0.01, "to": 0.17, "count": 17}, "adc.bits": [4, 6, 8]},
            "bisect": {"axis": "device.programming_error.magnitude", "metric": "top1", )" +
         threshold + "}";
}

/// Indices of a line's points: the bisected axis is the slower one.
std::uint64_t at(std::uint64_t value, std::uint64_t line) {
  return value * 3 + line;
}

TEST(RoundPlan, AlwaysRunsAllWhereNothingIsDecided) {
  const World world(R"("grid": {"adc.bits": [4, 6]}, "trials": 3)", [](auto, auto) { return 50; });
  EXPECT_FALSE(world.plan.in_rounds());
  const RecordedWork nothing;
  EXPECT_THAT(world.chosen(nothing), ElementsAre(ChosenPoint{0, 3}, ChosenPoint{1, 3}));
  EXPECT_EQ(world.plan.bound().chips, 6u);
}

TEST(RoundPlan, FindsEveryCrossingInAsManyStepsAsHalvingTakes) {
  // Lines fall from 90 to 10 after a number of values that is different in each; 17: never.
  for (std::uint64_t falls = 0; falls <= 17; ++falls) {
    const World world(searched(R"("threshold": 0.5)"), [&](std::uint64_t index, auto) {
      const std::uint64_t last_good = (falls + index % 3) % 18;
      return index / 3 < last_good ? 90 : 10;
    });
    const RecordedWork work = world.finished();
    const std::vector<Crossing> crossings = world.plan.crossings(work);
    ASSERT_EQ(crossings.size(), 3u);
    for (std::uint64_t line = 0; line < 3; ++line) {
      const std::uint64_t last_good = (falls + line) % 18;
      const Crossing& crossing = crossings[line];
      ASSERT_EQ(crossing.others.size(), 1u);
      EXPECT_EQ(crossing.others[0].second, 4 + 2 * line);
      const std::string expected = last_good == 0 ? "never_met" : last_good == 17 ? "always_met" : "found";
      EXPECT_EQ(case_name(crossing.what), expected) << falls << ' ' << line;
      if (expected != "found") continue;
      EXPECT_EQ(crossing.columns.at(0).before, world.grid.point(at(last_good - 1, line)).axes[0].second);
      EXPECT_EQ(crossing.columns.at(0).after, world.grid.point(at(last_good, line)).axes[0].second);
      // Half way between 0.9 and 0.1.
      EXPECT_NEAR(crossing.columns.at(0).crossing.get<double>(), 0.01 * static_cast<double>(last_good) + 0.005, 1e-12);
    }
    std::map<std::uint64_t, int> asked;
    for (const ChosenPoint& point : world.chosen(work)) ++asked[point.index % 3];
    for (const auto& [line, count] : asked) EXPECT_LE(count, 2 + 4);
    EXPECT_EQ(world.plan.bound().points, 3u * 6u);
    EXPECT_EQ(world.plan.bound().rounds, 5u);
  }
}

TEST(RoundPlan, MeasuresTheLossFromTheAxisStart) {
  // Line l starts at 0.90, 0.80, 0.70 and loses 0.02 with each value: 0.05 are lost between values 2 and 3.
  const World world(searched(R"("worse_by": 0.05)"), [](std::uint64_t index, auto) {
    return 90 - 10 * static_cast<int>(index % 3) - 2 * static_cast<int>(index / 3);
  });
  for (const Crossing& crossing : world.plan.crossings(world.finished())) {
    EXPECT_STREQ(case_name(crossing.what), "found");
    EXPECT_NEAR(crossing.columns.at(0).crossing.get<double>(), 0.035, 1e-12);
    EXPECT_EQ(crossing.columns.at(0).before, 0.03);
  }
}

TEST(RoundPlan, TheThresholdItselfIsMet) {
  // 0.4 - 0.05 is 0.35 and a bit in doubles, as are two of the others.
  for (const int start : {40, 46, 52, 99}) {
    const World world(searched(R"("worse_by": 0.05)"), [&](std::uint64_t index, auto) {
      return index / 3 < 1 ? start : index / 3 < 8 ? start - 5 : 10;
    });
    for (const Crossing& crossing : world.plan.crossings(world.finished())) {
      EXPECT_EQ(crossing.columns.at(0).before, 0.08) << start;
    }
  }
}

TEST(RoundPlan, LinesThatAreAheadWaitForTheOthers) {
  const World world(searched(R"("threshold": 0.5)"), [](std::uint64_t index, auto) { return index / 3 < 5 ? 90 : 10; });
  RecordedWork work;
  const auto ends = world.chosen(work);
  EXPECT_EQ(ends.size(), 6u);
  for (const std::uint64_t value : {0, 16}) work.add(world.record(at(value, 1), 0));
  EXPECT_EQ(world.chosen(work), ends);
  EXPECT_EQ(world.plan.choose(work).round, 1u);
}

TEST(RoundPlan, SaysWhatAFailureLeavesUndecided) {
  const World world(searched(R"("threshold": 0.5)"), [](std::uint64_t index, auto) {
    return index == at(8, 1) ? -1 : index / 3 < 5 ? 90 : 10;
  });
  const std::vector<Crossing> crossings = world.plan.crossings(world.finished());
  EXPECT_STREQ(case_name(crossings[0].what), "found");
  EXPECT_STREQ(case_name(crossings[1].what), "undecided");
  EXPECT_STREQ(case_name(crossings[2].what), "found");
  const RecordedWork nothing;
  for (const Crossing& crossing : world.plan.crossings(nothing)) EXPECT_STREQ(case_name(crossing.what), "open");
}

/// Noise that is a function of the chip, so that all kinds of paths are taken.
int noisy(std::uint64_t index, std::uint32_t trial) {
  const std::uint64_t hash = hash_text(std::to_string(index * 1000 + trial)).low;
  return hash % 40 == 0 ? -1 : static_cast<int>(20 + hash % 60);
}

const char* const trial_rounds =
    R"("grid": {"adc.bits": [4, 5, 6, 7, 8, 9, 10], "device.clip": [false, true]}, "trials": 12,
       "rounds": {"metric": "top1", "first": 2, "keep_best": 0.5, "stop_width": 0.4})";

TEST(RoundPlan, DecisionsFollowFromTheSetOfRecordsAlone) {
  for (const std::string& rest : {searched(R"("threshold": 0.5)"), std::string(trial_rounds)}) {
    const World world(rest, noisy);
    const RecordedWork work = world.finished();
    const auto points = world.chosen(work);
    std::mt19937 random(5);
    for (int run = 0; run < 50; ++run) EXPECT_EQ(world.chosen(world.finished(&random)), points);
    // Restarts at any moment, and records of chips that were never asked for, change nothing.
    for (int run = 0; run < 50; ++run) {
      RecordedWork begun;
      for (std::uint64_t index = 0; index < world.grid.size(); ++index) {
        for (std::uint32_t trial = 0; trial < world.grid.trials(index); ++trial) {
          if (random() % 2 == 0) begun.add(world.record(index, trial));
        }
      }
      for (auto open = world.missing(begun); !open.empty(); open = world.missing(begun)) {
        std::shuffle(open.begin(), open.end(), random);
        open.resize((open.size() + 1) / 2);
        for (const auto& [index, trial] : open) begun.add(world.record(index, trial));
      }
      EXPECT_EQ(world.chosen(begun), points);
    }
  }
}

TEST(RoundPlan, AsksForNoMoreThanItsBound) {
  for (const std::string& rest : {searched(R"("threshold": 0.5)"), std::string(trial_rounds)}) {
    const World world(rest, noisy);
    std::uint64_t chips = 0;
    for_each_chip(world.plan.choose(world.finished()).points, [&](const Chip&) { ++chips; });
    EXPECT_LE(chips, world.plan.bound().chips);
  }
}

TEST(RoundPlan, TheBetterHalfGetsTwiceTheTrials) {
  // Points 0 to 7 are the better the later; no noise but a spread between trials.
  const World world(R"("grid": {"adc.bits": [3, 4, 5, 6, 7, 8, 9, 10]}, "trials": 16,
                       "rounds": {"metric": "top1", "first": 2, "keep_best": 0.5})",
                    [](std::uint64_t index, std::uint32_t trial) {
                      return 10 * static_cast<int>(index) + static_cast<int>(trial % 2);
                    });
  std::vector<std::uint32_t> trials;
  for (const ChosenPoint& point : world.chosen(world.finished())) trials.push_back(point.trials);
  EXPECT_THAT(trials, ElementsAre(2, 2, 2, 2, 4, 4, 8, 16));
  EXPECT_EQ(world.plan.bound().chips, 2u * 4 + 4 * 2 + 8 + 16);
}

TEST(RoundPlan, PointsThatAreKnownWellEnoughStop) {
  // Point 0: all trials equal, width 0. Point 1: 0.4 and 0.6 in turn; its interval of 16 trials is still wider.
  const World world(R"("grid": {"adc.bits": [4, 6]}, "trials": 16,
                       "rounds": {"metric": "top1", "first": 4, "stop_width": 0.1})",
                    [](std::uint64_t index, std::uint32_t trial) {
                      return index == 0 ? 50 : trial % 2 == 0 ? 40 : 60;
                    });
  EXPECT_THAT(world.chosen(world.finished()), ElementsAre(ChosenPoint{0, 4}, ChosenPoint{1, 16}));
  // Student t of 3 degrees of freedom: 3.182; the width of 4 trials of 0.4 and 0.6 is 2 * 3.182 * 0.11547 / 2 = 0.367.
  const auto stops_at = [](const char* width) {
    const World other(R"("grid": {"adc.bits": [4, 6]}, "trials": 16,
                         "rounds": {"metric": "top1", "first": 4, "stop_width": )" +
                          std::string(width) + "}",
                      [](std::uint64_t, std::uint32_t trial) { return trial % 2 == 0 ? 40 : 60; });
    return other.chosen(other.finished())[0].trials;
  };
  EXPECT_EQ(stops_at("0.368"), 4u);
  EXPECT_EQ(stops_at("0.366"), 8u);
}

TEST(RoundPlan, DoublesTrialsUpToTheSweeps) {
  EXPECT_THAT(trial_schedule(3, 20), ElementsAre(3, 6, 12, 20));
  EXPECT_THAT(trial_schedule(4, 16), ElementsAre(4, 8, 16));
}

}  // namespace
}  // namespace crossgrid
