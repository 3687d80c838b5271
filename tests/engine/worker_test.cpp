#include "crossgrid/engine/worker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace crossgrid {
namespace {

using testing::HasSubstr;

/// A worker whose rank 0 and executor are played by the test.
struct Play {
  Play() {
    perform(worker.start(now()));
    take(JobMessage{"job"});
  }
  Time now() const { return from_seconds(clock); }
  void take(Message message) { perform(worker.on_message(now(), std::move(message))); }
  void event(ExecutorEvent happened) { perform(worker.on_executor(now(), std::move(happened))); }
  void ready() { event(ExecutorSaid{HelloMessage{}}); }
  void work(std::vector<UnitId> ids, double limit = 1000) {
    WorkMessage message;
    for (const UnitId id : ids) message.tasks.push_back({id, {id, 0, 0, 1}, limit});
    take(message);
  }
  void done(UnitId id) { event(ExecutorSaid{OutcomesMessage{{Outcome{id, {}}}}}); }
  void pass(double seconds, bool rank0_speaks = true) {
    for (const double end = clock + seconds; clock < end; clock += 0.1) {
      if (rank0_speaks) take(AliveMessage{});
      perform(worker.on_tick(now()));
    }
  }
  void perform(WorkerActions actions) {
    for (const ExecutorCommand& command : actions.executor) {
      spawns += std::holds_alternative<SpawnExecutor>(command);
      kills += std::holds_alternative<KillExecutor>(command);
      closes += std::holds_alternative<CloseExecutor>(command);
      const auto* told = std::get_if<TellExecutor>(&command);
      const auto* work = told ? std::get_if<WorkMessage>(&told->message) : nullptr;
      if (!work) continue;
      last_work.clear();
      for (const Task& task : work->tasks) last_work.push_back(task.id);
    }
    for (const Message& message : actions.sends) {
      if (const auto* said = std::get_if<OutcomesMessage>(&message)) {
        for (const Outcome& outcome : said->outcomes) outcomes.push_back(outcome);
      }
      if (const auto* returned = std::get_if<ReturnedMessage>(&message)) {
        ++answers;
        last_returned = returned->ids;
      }
      if (const auto* broken = std::get_if<BrokenMessage>(&message)) complaint = broken->text;
      byes += std::holds_alternative<ByeMessage>(message);
      if (const auto* pulse = std::get_if<PulseMessage>(&message)) {
        ++pulses;
        last_pulse = pulse->in_flight;
      }
    }
  }

  double clock = 50;
  Worker worker{WorkerOptions{}, HelloMessage{"host", 1, ""}};
  int spawns = 0, kills = 0, closes = 0, byes = 0, pulses = 0, answers = 0;
  UnitId last_pulse = 0;
  std::vector<UnitId> last_work, last_returned;
  std::vector<Outcome> outcomes;
  std::string complaint;
};

TEST(Worker, ChargesOnlyTheUnitInFlightWithADeath) {
  Play play;
  play.work({1, 2, 3, 4});
  play.ready();
  EXPECT_EQ(play.last_work, (std::vector<UnitId>{1, 2, 3, 4}));
  play.done(1);
  play.event(ExecutorDied{2, "killed by signal 9", "last words", 9});
  ASSERT_EQ(play.outcomes.size(), 2u);
  EXPECT_EQ(play.outcomes[1].id, 2u);
  EXPECT_EQ(play.outcomes[1].result.status, UnitStatus::failed);
  EXPECT_EQ(play.outcomes[1].result.reason, "killed by signal 9");
  EXPECT_EQ(play.outcomes[1].result.signal, 9);
  EXPECT_EQ(play.outcomes[1].result.log, "last words");
  EXPECT_EQ(play.spawns, 2);
  play.ready();
  EXPECT_EQ(play.last_work, (std::vector<UnitId>{3, 4}));
}

TEST(Worker, ChargesTheFirstUnitWhereNoneIsMarked) {
  Play play;
  play.ready();
  play.work({1, 2});
  play.event(ExecutorDied{no_unit, "killed", ""});
  ASSERT_EQ(play.outcomes.size(), 1u);
  EXPECT_EQ(play.outcomes[0].id, 1u);
}

TEST(Worker, KillsAfterTheTimeLimitAndNotBefore) {
  Play play;
  play.ready();
  play.work({1}, 5);
  for (int beat = 1; beat < 49; ++beat) {
    play.event(ExecutorPulse{1, static_cast<std::uint64_t>(beat)});
    play.pass(0.1);
  }
  EXPECT_EQ(play.kills, 0);
  play.pass(0.5);
  EXPECT_EQ(play.kills, 1);
  play.event(ExecutorDied{1, "killed by signal 9", ""});
  EXPECT_THAT(play.outcomes.at(0).result.reason, HasSubstr("time limit of 5 s"));
}

// Else rank 0 could charge a unit with the loss of a worker that had not begun it again.
TEST(Worker, DoesNotReportAUnitThatHasEndedAsInFlight) {
  Play play;
  play.ready();
  play.work({1, 2});
  play.done(1);
  play.event(ExecutorPulse{1, 1});
  play.pass(1.5);
  EXPECT_EQ(play.last_pulse, no_unit);
  play.event(ExecutorPulse{2, 2});
  play.pass(1.5);
  EXPECT_EQ(play.last_pulse, 2u);
}

// Rank 0 had given the worker up for lost, lent the unit again and recalled it: the time limit of the first run holds.
TEST(Worker, KeepsItsEyeOnAUnitThatIsLentToItTwice) {
  Play play;
  play.ready();
  play.work({1}, 5);
  play.event(ExecutorPulse{1, 1});
  play.last_work.clear();
  play.work({1, 2}, 5);
  EXPECT_EQ(play.last_work, (std::vector<UnitId>{2}));
  play.take(RecallMessage{});
  play.event(ExecutorSaid{ReturnedMessage{{2}}});
  for (std::uint64_t beat = 2; beat < 60; ++beat) {
    play.event(ExecutorPulse{1, beat});
    play.pass(0.1);
  }
  EXPECT_EQ(play.kills, 1);
}

TEST(Worker, KillsASilentExecutor) {
  Play play;
  play.ready();
  play.work({1});
  play.event(ExecutorPulse{1, 1});
  play.pass(59);
  EXPECT_EQ(play.kills, 0);
  play.pass(2);
  EXPECT_EQ(play.kills, 1);
}

TEST(Worker, ItsOwnStopIsNobodysSilence) {
  Play play;
  play.ready();
  play.work({1}, 5);
  play.event(ExecutorPulse{1, 1});
  play.clock += 1000;
  play.perform(play.worker.on_tick(play.now()));
  EXPECT_EQ(play.kills, 0);
  EXPECT_FALSE(play.worker.finished());
}

TEST(Worker, AnswersARecallOnceWhateverTheExecutorDoes) {
  Play idle;
  idle.take(RecallMessage{});
  EXPECT_EQ(idle.answers, 1);

  Play starting;
  starting.work({1, 2});
  starting.take(RecallMessage{});
  EXPECT_EQ(starting.last_returned, (std::vector<UnitId>{1, 2}));

  Play busy;
  busy.ready();
  busy.work({1, 2, 3});
  busy.take(RecallMessage{});
  EXPECT_EQ(busy.answers, 0);
  busy.event(ExecutorSaid{ReturnedMessage{{2, 3}}});
  EXPECT_EQ(busy.answers, 1);

  Play dying;
  dying.ready();
  dying.work({1, 2, 3});
  dying.take(RecallMessage{});
  dying.event(ExecutorDied{1, "killed", ""});
  EXPECT_EQ(dying.answers, 1);
  EXPECT_EQ(dying.last_returned, (std::vector<UnitId>{2, 3}));

  Play over;
  over.ready();
  over.work({1});
  over.take(RecallMessage{});
  over.done(1);
  over.event(ExecutorDied{1, "killed", ""});
  EXPECT_EQ(over.answers, 1);
}

TEST(Worker, GivesUpAfterThreeFailedStarts) {
  Play play;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(play.spawns, i + 1);
    play.event(ExecutorDied{no_unit, "exited with code 1", "no library"});
    play.pass(3);
  }
  EXPECT_EQ(play.spawns, 3);
  EXPECT_THAT(play.complaint, HasSubstr("no library"));
  EXPECT_TRUE(play.worker.finished());
  EXPECT_EQ(play.byes, 1);
}

TEST(Worker, EndsWhenRankZeroIsSilent) {
  Play play;
  play.ready();
  play.pass(70, true);
  EXPECT_FALSE(play.worker.finished());
  EXPECT_GT(play.pulses, 50);
  play.pass(32, false);
  EXPECT_EQ(play.closes, 1);
  play.event(ExecutorDied{no_unit, "exited with code 0", ""});
  EXPECT_TRUE(play.worker.finished());
  EXPECT_THAT(play.worker.complaint(), HasSubstr("rank 0 has been silent for 30 s"));
}

TEST(Worker, ToldToStopItKillsABusyExecutorAndClosesAnIdleOne) {
  Play busy;
  busy.ready();
  busy.work({1});
  busy.take(StopMessage{});
  EXPECT_EQ(busy.kills, 1);
  busy.event(ExecutorDied{1, "killed", ""});
  EXPECT_TRUE(busy.worker.finished());

  Play idle;
  idle.ready();
  idle.take(StopMessage{});
  EXPECT_EQ(idle.closes, 1);
  idle.pass(3);
  EXPECT_EQ(idle.kills, 1) << "it did not end by itself";
}

}  // namespace
}  // namespace crossgrid
