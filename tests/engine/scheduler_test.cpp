#include "crossgrid/engine/scheduler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <utility>

namespace crossgrid {
namespace {

using testing::HasSubstr;

class NumberedUnits : public UnitSource {
 public:
  explicit NumberedUnits(std::uint64_t total) : total_(total) {}
  std::optional<PlannedUnit> next() override {
    if (given == total_) return std::nullopt;
    return PlannedUnit{Unit{given++, 0, 0, 1}, 1};
  }
  std::uint64_t total() const override { return total_; }
  bool next_round() override {
    total_ += further;
    return std::exchange(further, 0) > 0;
  }
  std::uint64_t given = 0;
  std::uint64_t further = 0;  ///< units of one more round

 private:
  std::uint64_t total_;
};

/// A scheduler whose workers are played by the test.
struct Play {
  Play(std::uint64_t units, int workers, double retry_wait = 0) : source(units) {
    options.workers = workers;
    options.lease = 5;
    options.retry_wait = retry_wait;
    scheduler.emplace(options, source, "job");
    for (int worker = 1; worker <= workers; ++worker) {
      take(worker, HelloMessage{worker == 1 ? "host" : "host" + std::to_string(worker), worker, ""});
    }
  }
  void take(int from, Message message) { perform(scheduler->on_message(from_seconds(now), from, std::move(message))); }
  void pass(double seconds, std::set<int> speaking) {
    for (double end = now + seconds; now < end; now += 0.25) {
      for (const int worker : speaking) take(worker, PulseMessage{});
      perform(scheduler->on_tick(from_seconds(now)));
    }
  }
  void finish(int worker, UnitId id, double seconds = 0.001) {
    Outcome outcome{id, {}};
    outcome.result.seconds = seconds;
    outcome.result.metrics["m"].count = id;
    take(worker, OutcomesMessage{{outcome}});
  }
  void fail(int worker, UnitId id) {
    Outcome outcome{id, {}};
    outcome.result.status = UnitStatus::failed;
    outcome.result.reason = "bang";
    outcome.result.signal = 11;
    outcome.result.log = "its last line";
    std::erase(held[worker], id);
    take(worker, OutcomesMessage{{outcome}});
  }
  void perform(SchedulerActions actions) {
    for (auto& send : actions.sends) {
      if (const auto* work = std::get_if<WorkMessage>(&send.message)) {
        batches.emplace_back(send.to, std::vector<UnitId>());
        for (const Task& task : work->tasks) {
          batches.back().second.push_back(task.id);
          held[send.to].push_back(task.id);
          limits[task.id] = task.time_limit;
        }
      }
      recalls += std::holds_alternative<RecallMessage>(send.message);
      stops += std::holds_alternative<StopMessage>(send.message);
    }
    results.insert(results.end(), actions.results.begin(), actions.results.end());
    scheduler->on_durable(actions.results.size());
    for (const std::string& warning : actions.warnings) warnings += warning + "\n";
  }
  /// Everything the worker has, and gets, until nothing comes.
  void work_off(int worker, double seconds = 0.001) {
    while (!held[worker].empty()) {
      const UnitId id = held[worker].front();
      held[worker].erase(held[worker].begin());
      finish(worker, id, seconds);
    }
  }

  SchedulerOptions options;
  NumberedUnits source;
  std::optional<Scheduler> scheduler;
  double now = 100;
  std::vector<std::pair<int, std::vector<UnitId>>> batches;
  std::map<int, std::vector<UnitId>> held;
  std::map<UnitId, double> limits;
  std::vector<UnitResult> results;
  std::string warnings;
  int recalls = 0, stops = 0;
};

TEST(Scheduler, ReadsTheSourceNoFurtherThanItHandsOut) {
  Play play(1'000'000, 2);
  EXPECT_LE(play.source.given, 2048u);
  for (int i = 0; i < 100; ++i) play.finish(1, play.held[1].at(static_cast<std::size_t>(i)));
  EXPECT_LE(play.source.given, 4096u);
}

TEST(Scheduler, BatchesAreSingleFirstThenLargeThenSingleAtTheEnd) {
  Play play(2000, 1);
  EXPECT_EQ(play.batches.at(0).second.size(), 1u);
  play.work_off(1);
  std::size_t largest = 0;
  std::size_t left = 2000;
  for (const auto& batch : play.batches) {
    largest = std::max(largest, batch.second.size());
    EXPECT_LE(batch.second.size(), std::max<std::size_t>(left / 4, 1));  // nobody sits on much of the end
    left -= batch.second.size();
  }
  EXPECT_EQ(largest, 64u);
  EXPECT_EQ(play.batches.back().second.size(), 1u);
  EXPECT_EQ(play.results.size(), 2000u);
}

TEST(Scheduler, LongUnitsGoOutOneByOne) {
  Play play(100, 1);
  play.work_off(1, 0.3);
  for (const auto& batch : play.batches) EXPECT_EQ(batch.second.size(), 1u);
}

TEST(Scheduler, GivesNeighboursToTheSameWorker) {
  Play play(1000, 2);
  while (play.results.size() < 500) {
    for (const int worker : {1, 2}) {
      const UnitId id = play.held[worker].front();
      play.held[worker].erase(play.held[worker].begin());
      play.finish(worker, id);
    }
  }
  std::map<UnitId, int> owner;
  for (const auto& [worker, ids] : play.batches) {
    for (const UnitId id : ids) owner[id] = worker;
  }
  int changes = 0;
  for (UnitId id = 1; owner.contains(id); ++id) changes += owner[id] != owner[id - 1];
  EXPECT_LE(changes, 8);  // 500 where units are dealt out in turn
}

TEST(Scheduler, ASlowWorkersRunIsDoneByOthersAtTheEnd) {
  Play play(100, 2);
  play.work_off(1);
  EXPECT_EQ(play.held[2].size(), 1u);
  EXPECT_EQ(play.results.size(), 99u);
}

TEST(Scheduler, WhatASlowWorkerHasNotBegunIsRecalledWhileAnotherWaits) {
  Play play(100, 2);
  play.finish(2, std::exchange(play.held[2], {}).front());
  ASSERT_GT(play.held[2].size(), 1u);
  play.pass(2, {1, 2});
  EXPECT_EQ(play.recalls, 0);  // nobody waits
  play.work_off(1);
  play.pass(2, {1, 2});
  EXPECT_EQ(play.recalls, 1);
}

TEST(Scheduler, TimeLimitIsAMultipleOfThePredictionAndGrowsWithAttempts) {
  Play play(100, 1);
  EXPECT_EQ(play.limits.at(0), 3600);
  play.finish(1, 0, 20);
  EXPECT_NEAR(play.limits.at(1), 200, 1e-9);
  play.fail(1, 1);
  EXPECT_NEAR(play.limits.at(1), 800, 1e-9);
}

TEST(Scheduler, RecordsAUnitAsFailedAfterThreeAttempts) {
  Play play(1, 1);
  for (int i = 0; i < 3; ++i) play.fail(1, 0);
  ASSERT_EQ(play.results.size(), 1u);
  EXPECT_EQ(play.results[0].status, UnitStatus::failed);
  EXPECT_EQ(play.results[0].attempts, 3u);
  EXPECT_EQ(play.results[0].reason, "bang");
  EXPECT_EQ(play.results[0].signal, 11);
  EXPECT_EQ(play.results[0].log, "its last line");
  EXPECT_EQ(play.results[0].host, "host");
  EXPECT_EQ(play.scheduler->end(), EngineEnd::running);  // durable is told after the call
  play.pass(0.25, {1});
  EXPECT_EQ(play.scheduler->end(), EngineEnd::complete);
}

TEST(Scheduler, TakesALateResultAndDropsItsDuplicate) {
  Play play(3, 2);
  const UnitId lent = play.held[1].at(0);
  play.pass(7, {2});
  EXPECT_THAT(play.warnings, HasSubstr("worker 1 on host has been silent"));
  play.finish(1, lent);  // late, and the unit is open
  EXPECT_THAT(play.warnings, HasSubstr("worker 1 is back"));
  EXPECT_EQ(play.recalls, 1);
  play.work_off(2);
  play.finish(2, lent);
  play.finish(2, lent);
  EXPECT_EQ(std::ranges::count_if(play.results, [&](const UnitResult& r) { return r.unit.point == lent; }), 1);
  EXPECT_GE(play.scheduler->progress().duplicates, 1u);
  EXPECT_EQ(play.scheduler->end(), EngineEnd::complete);
}

TEST(Scheduler, RefusesARunWhoseWorkersDisagreeAndNamesBothHosts) {
  Play play(2, 2);
  const UnitId lent = play.held[1].at(0);
  play.pass(7, {2});
  play.work_off(2);
  Outcome other{lent, {}};
  other.result.metrics["m"].count = 99;
  play.take(1, OutcomesMessage{{other}});
  EXPECT_EQ(play.scheduler->end(), EngineEnd::refused);
  EXPECT_EQ(play.scheduler->refusal_code(), ExitCode::bad_input);
  EXPECT_THAT(play.scheduler->message(),
              testing::AllOf(HasSubstr("unequal results of one unit: point 0"),
                             HasSubstr("the first, from host 'host2'"), HasSubstr("the second, from host 'host'")));
}

TEST(Scheduler, WaitsBeforeItTriesAUnitAgainTwiceAsLongEachTime) {
  Play play(1, 1, 2.0);
  for (const double wait : {2.0, 4.0}) {
    const std::size_t lent = play.batches.size();
    play.fail(1, 0);
    play.pass(wait - 0.3, {1});
    EXPECT_EQ(play.batches.size(), lent) << wait;
    play.pass(0.5, {1});
    EXPECT_EQ(play.batches.size(), lent + 1) << wait;
  }
}

TEST(Scheduler, TriesAFailedUnitAtAnotherWorkerFirst) {
  Play play(40, 2);
  const UnitId failed = play.held[1].at(0);
  play.fail(1, failed);
  play.pass(1, {1, 2});
  EXPECT_THAT(play.held[1], testing::Not(testing::Contains(failed)));
  play.finish(2, play.held[2].at(0));
  play.held[2].erase(play.held[2].begin());
  EXPECT_THAT(play.held[2], testing::Contains(failed));
}

TEST(Scheduler, TriesAFailedUnitWhereItFailedWhenNobodyElseComesForIt) {
  Play play(2, 2);
  const UnitId failed = play.held[1].at(0);
  play.fail(1, failed);
  play.pass(4, {1, 2});
  EXPECT_THAT(play.held[1], testing::IsEmpty());
  play.pass(2, {1, 2});  // worker 2 is in a long unit: a lease is long enough to wait
  EXPECT_THAT(play.held[1], testing::ElementsAre(failed));
}

/// Worker 1 fails all that it is given, worker 2 does all. Runs until nothing is left.
void work_with_a_broken_device(Play& play) {
  for (int round = 0; round < 1000 && play.scheduler->end() == EngineEnd::running; ++round) {
    if (!play.held[1].empty()) play.fail(1, play.held[1].front());
    if (!play.held[2].empty()) {
      const UnitId id = play.held[2].front();
      play.held[2].erase(play.held[2].begin());
      play.finish(2, id, 0.2);
    }
    play.pass(0.25, {1, 2});
  }
}

TEST(Scheduler, SendsAWorkerHomeWhoseFailuresOthersRefute) {
  Play play(60, 2);
  work_with_a_broken_device(play);
  EXPECT_EQ(play.scheduler->end(), EngineEnd::complete);
  EXPECT_THAT(play.warnings, HasSubstr("worker 1 (host) is sent home: 5 units in a row failed there"));
  EXPECT_THAT(play.warnings, HasSubstr("the last: bang"));
  EXPECT_EQ(play.scheduler->progress().failed, 0u);
  int to_the_broken_one = 0;
  for (const auto& [worker, ids] : play.batches) to_the_broken_one += worker == 1 ? static_cast<int>(ids.size()) : 0;
  EXPECT_LT(to_the_broken_one, 20);
}

// The units are bad, not the device: whoever has them fails.
TEST(Scheduler, KeepsAWorkerThatMeetsPoisonUnits) {
  Play play(30, 2);
  std::set<UnitId> poison = {3, 4, 5, 6, 7, 8, 9};
  for (int round = 0; round < 1000 && play.scheduler->end() == EngineEnd::running; ++round) {
    for (const int worker : {1, 2}) {
      if (play.held[worker].empty()) continue;
      const UnitId id = play.held[worker].front();
      if (poison.contains(id)) {
        play.fail(worker, id);
      } else {
        play.held[worker].erase(play.held[worker].begin());
        play.finish(worker, id, 0.2);
      }
    }
    play.pass(0.25, {1, 2});
  }
  EXPECT_EQ(play.scheduler->progress().failed, poison.size());
  EXPECT_EQ(play.warnings, "");
}

TEST(Scheduler, HandsOutNothingWhileItIsHeld) {
  Play play(1000, 1);
  play.scheduler->hold(true);
  play.work_off(1);
  play.pass(30, {1});
  const std::size_t before = play.batches.size();
  EXPECT_LT(play.results.size(), 100u);
  EXPECT_EQ(play.warnings, "") << "nobody is lost meanwhile";
  play.scheduler->hold(false);
  play.pass(0.25, {1});
  EXPECT_GT(play.batches.size(), before);
  play.work_off(1);
  EXPECT_EQ(play.results.size(), 1000u);
}

TEST(Scheduler, AskedToStopItEndsWhenUnitsInFlightHaveEnded) {
  Play play(1000, 1);
  play.finish(1, 0);
  const auto out = play.held[1];
  play.perform(play.scheduler->stop(from_seconds(play.now), 5));
  EXPECT_EQ(play.recalls, 1);
  play.take(1, ReturnedMessage{{out.begin() + 2, out.end()}});
  EXPECT_EQ(play.scheduler->end(), EngineEnd::running);
  play.finish(1, out[1]);
  EXPECT_EQ(play.scheduler->end(), EngineEnd::stopped);
  EXPECT_EQ(play.stops, 1);
  EXPECT_FALSE(play.scheduler->finished());
  play.take(1, ByeMessage{});
  EXPECT_TRUE(play.scheduler->finished());
  EXPECT_TRUE(play.scheduler->lost_workers().empty());
}

TEST(Scheduler, BeginsARoundWhenAllResultsAreDurable) {
  Play play(1, 1);
  play.source.further = 3;
  Outcome outcome{0, {}};
  play.held[1].clear();
  play.scheduler->on_message(from_seconds(play.now), 1, OutcomesMessage{{outcome}});
  play.pass(1, {1});
  EXPECT_EQ(play.source.total(), 1u) << "the first result may still be lost";
  play.scheduler->on_durable(1);
  play.pass(0.5, {1});
  EXPECT_EQ(play.source.total(), 4u);
  EXPECT_EQ(play.scheduler->progress().total, 4u);
  play.work_off(1);
  play.pass(0.5, {1});
  EXPECT_EQ(play.source.given, 4u);
  EXPECT_EQ(play.scheduler->end(), EngineEnd::complete);
}

TEST(Scheduler, StoppedAtTheEndOfARoundItIsNotComplete) {
  for (const std::uint64_t further : {0, 3}) {
    Play play(1, 1);
    play.source.further = further;
    play.perform(play.scheduler->stop(from_seconds(play.now), 5));
    play.held[1].clear();
    play.finish(1, 0);
    play.pass(0.5, {1});
    EXPECT_EQ(play.scheduler->end(), further > 0 ? EngineEnd::stopped : EngineEnd::complete);
    EXPECT_EQ(play.source.given, 1u);
  }
}

TEST(Scheduler, StoppedItDoesNotWaitForASinkThatStoresNothing) {
  Play play(1, 1);
  Outcome outcome{0, {}};
  play.scheduler->on_message(from_seconds(play.now), 1, OutcomesMessage{{outcome}});  // never durable
  play.pass(1, {1});
  EXPECT_EQ(play.scheduler->end(), EngineEnd::running);
  play.perform(play.scheduler->stop(from_seconds(play.now), 0));
  EXPECT_EQ(play.scheduler->end(), EngineEnd::stopped);
}

TEST(Scheduler, AUnitThatWasLentAgainIsNotInFlightBeforeItStarts) {
  Play play(1, 1);
  play.pass(7, {});  // lost: the unit is taken away
  play.take(1, PulseMessage{0});
  play.fail(1, 0);
  play.take(1, ReturnedMessage{});  // it has nothing left of what it was lent before, and is lent the unit again
  ASSERT_EQ(play.batches.size(), 2u);
  play.pass(7, {});
  play.take(1, PulseMessage{});
  play.fail(1, 0);
  EXPECT_TRUE(play.results.empty());  // two attempts failed; the second loss is not a third one
  play.fail(1, 0);
  EXPECT_EQ(play.results.size(), 1u);
}

TEST(Scheduler, ItsOwnStopIsNobodysSilence) {
  Play play(10, 2);
  play.now += 1000;  // the whole job was suspended
  play.perform(play.scheduler->on_tick(from_seconds(play.now)));
  EXPECT_EQ(play.warnings, "");
}

TEST(Scheduler, EndsWithTheMessageOfAWorkerThatCanNotRunTheJob) {
  Play play(10, 2);
  play.take(1, BrokenMessage{"no GPU here", ExitCode::internal, Broken::worker});
  EXPECT_EQ(play.scheduler->end(), EngineEnd::running);
  play.take(2, BrokenMessage{"bad sweep", ExitCode::bad_input, Broken::run});
  EXPECT_EQ(play.scheduler->end(), EngineEnd::refused);
  EXPECT_EQ(play.scheduler->message(), "bad sweep");
  EXPECT_EQ(play.scheduler->refusal_code(), ExitCode::bad_input);
}

}  // namespace
}  // namespace crossgrid
