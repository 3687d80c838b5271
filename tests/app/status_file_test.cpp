#include "crossgrid/app/status_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "app/status_sample.hpp"
#include "base/failing_files.hpp"
#include "crossgrid/engine/journal_sink.hpp"

namespace crossgrid {
namespace {

const char* const file_name = "out/status.json";
const char* const journal_name = "out/journal-000001.jsonl";

/// The file with another body, and a hash that holds.
std::string with_body(const Json& body) {
  const std::string text = body.dump();
  return "{\"hash\":\"" + hash_text(text).hex() + "\",\"status\":" + text + "}\n";
}

class StatusFileTest : public testing::Test {
 protected:
  OutputFolder open(const std::string& shard = "") {
    return OutputFolder(disk_, time_, sample_process("alpha", shard.empty() ? 1 : shard[0]),
                        status_request(context_, shard));
  }
  StatusFile file(const std::optional<std::string>& own_shard = "") {
    return StatusFile(disk_, time_, "out", sweep_copy_id(context_.sweep.resolved), own_shard);
  }
  /// As a run ends.
  void end(OutputFolder& folder, const std::string& shard = "") {
    SweepState state = sweep_state(context_, folder.content());
    folder.close();
    state.owners = folder.content().owners;
    file(shard).write(state, folder.content());
  }
  /// Point 0 done, point 1 half done, a trial of point 2 failed and another done, of 2 x 1 and 2 x 3 trials.
  void fill(OutputFolder& folder) {
    folder.expect({.units = 8, .cost = 8, .unit_seconds = 2, .seconds = 1.0 / 3});
    record(folder, status_result(0, 0));
    record(folder, status_result(1, 0, 0, 20));
    UnitResult failed = status_result(2, 1, 20, 20);
    failed.status = UnitStatus::failed;
    failed.metrics.clear();
    failed.attempts = 3;
    failed.signal = 9;
    failed.reason = "too long: \xff" + std::string(10'000, 'r');
    for (int line = 0; line < 30; ++line) failed.log += std::string(400, 'a') + std::to_string(line) + "\n";
    record(folder, failed);
    record(folder, status_result(2, 0));
  }
  void end_filled() {
    OutputFolder folder = open();
    fill(folder);
    end(folder);
  }
  Json body() { return Json::parse(disk_.content(file_name)).at("status"); }
  bool used_with(const std::string& text) {
    disk_.put(file_name, text);
    return read_status_file(disk_, "out").has_value();
  }

  SweepContext context_ = status_context({0.0, 0.1});
  ForgettingDisk disk_;
  SampleTime time_;
};

TEST_F(StatusFileTest, TellsWhatCountingTells) {
  end_filled();
  const auto known = read_status_file(disk_, "out");
  ASSERT_TRUE(known && known->exact);
  const SweepState& state = known->state;
  EXPECT_EQ(state.name, "state");
  EXPECT_EQ(state.points.chosen, 4u);
  EXPECT_EQ(state.points.done, 1u);
  EXPECT_EQ(state.points.failed, 0u);
  EXPECT_EQ(state.points.begun, 2u);
  EXPECT_EQ(state.points.pending(), 1u);
  EXPECT_EQ(state.chips.chips, 8u);
  EXPECT_EQ(state.chips.done, 2u);
  EXPECT_EQ(state.chips.failed, 0u);
  ASSERT_EQ(state.failures.size(), 1u);
  EXPECT_EQ(state.failures[0].unit, (Unit{2, 1, 20, 20}));
  EXPECT_EQ(state.failures[0].signal, 9);
  EXPECT_EQ(state.failures[0].reason.size(), 8192u + 2);  // the byte that is no UTF-8 became three
  EXPECT_THAT(state.failures[0].log, testing::StartsWith(std::string(400, 'a') + "20\n"));
  EXPECT_EQ(state.owners.at("").images, 40u + 20 + 40);
  EXPECT_EQ(state.owners.at("").account->measured.units, 4u);
  EXPECT_TRUE(state.owners.at("").record.released);
  EXPECT_TRUE(known_text(disk_, context_) == counted_text(disk_, context_));
}

TEST_F(StatusFileTest, CountsFailedPointsAndAllFailures) {
  OutputFolder folder = open();
  for (std::uint64_t first = 0; first < 40; first += 2) {
    UnitResult failed = status_result(1, 0, first, 2);
    failed.status = UnitStatus::failed;
    record(folder, failed);
  }
  end(folder);
  const auto known = read_status_file(disk_, "out");
  ASSERT_TRUE(known);
  EXPECT_EQ(known->state.points.failed, 1u);
  EXPECT_EQ(known->state.chips.failed, 1u);
  EXPECT_EQ(known->state.failures.size(), 10u);
  EXPECT_EQ(known->state.failures_found, 20u);
  EXPECT_TRUE(known_text(disk_, context_) == counted_text(disk_, context_));
}

TEST_F(StatusFileTest, StaysExactWhileARunGoesOnWithoutResults) {
  end_filled();
  time_.pass(100);
  OutputFolder folder = open();
  folder.expect({.units = 5});
  time_.pass(owner_heartbeat_seconds + 1);
  folder.tick();
  const auto known = read_status_file(disk_, "out");
  ASSERT_TRUE(known);
  EXPECT_TRUE(known->exact);
  EXPECT_EQ(known->state.owners.at("").record.heartbeat, utc_text(time_.wall));
  EXPECT_FALSE(known->state.owners.at("").record.released);
  EXPECT_EQ(known->state.owners.at("").images, 0u);
  EXPECT_EQ(known->state.owners.at("").account->predicted.units, 5u);
  EXPECT_TRUE(known_text(disk_, context_) == counted_text(disk_, context_));
}

TEST_F(StatusFileTest, IsNotExactAfterAResult) {
  end_filled();
  const std::size_t before = disk_.content(journal_name).size();
  OutputFolder folder = open();
  record(folder, status_result(3, 0));
  const auto known = read_status_file(disk_, "out");
  ASSERT_TRUE(known);
  EXPECT_FALSE(known->exact);
  EXPECT_EQ(known->bytes_since, disk_.content(journal_name).size() - before);
  EXPECT_EQ(known->journal_bytes, disk_.content(journal_name).size());
  EXPECT_EQ(known->state.chips.done, 2u);
}

TEST_F(StatusFileTest, FindsTheLastOwnerBeforeManyResults) {
  end_filled();
  time_.pass(100);
  OutputFolder folder = open();
  const std::string started = utc_text(time_.wall);
  std::string lines;
  for (int i = 0; i < 2000; ++i) append_journal_line(lines, sample_id(1), status_result(0, 0), "alpha");
  ASSERT_GT(lines.size(), 300'000u);
  disk_.content(journal_name) += lines;
  const auto known = read_status_file(disk_, "out");
  ASSERT_TRUE(known);
  EXPECT_FALSE(known->exact);
  EXPECT_EQ(known->state.owners.at("").record.started, started);
}

TEST_F(StatusFileTest, DamageAfterItIsNews) {
  end_filled();
  std::string& journal = disk_.content(journal_name);
  const std::string counted = journal;
  std::string line = journal_line(OwnerRecord{"alpha", 1, "boot-1", utc_text(1), utc_text(2)});
  const auto exact = [&](const std::string& more) {
    journal = counted + more;
    const auto known = read_status_file(disk_, "out");
    return known && known->exact;
  };
  EXPECT_TRUE(exact(line));
  EXPECT_TRUE(exact(line + "\n" + line));
  EXPECT_TRUE(exact(line.substr(0, 60)));                // being written
  EXPECT_FALSE(exact(line.substr(0, line.size() - 1)));  // whole but for its newline
  EXPECT_FALSE(exact(line.substr(0, 60) + "\n"));
  EXPECT_FALSE(exact(line.substr(0, 60) + line.substr(0, line.size() - 1)));
  EXPECT_FALSE(exact(std::string(512, '\0')));
  line[30] ^= 1;
  EXPECT_FALSE(exact(line));
}

TEST_F(StatusFileTest, EveryCutAndEveryFlippedBitIsNoticed) {
  end_filled();
  const std::string whole = disk_.content(file_name);
  for (std::size_t size = 0; size < whole.size(); ++size) ASSERT_FALSE(used_with(whole.substr(0, size))) << size;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << at % 8));
    ASSERT_FALSE(used_with(flipped)) << at;
  }
  EXPECT_FALSE(used_with(whole + "\n"));
  EXPECT_TRUE(used_with(whole));
}

TEST_F(StatusFileTest, OfAnotherProgramOrSweepItIsNotUsed) {
  end_filled();
  const Json good = body();
  EXPECT_TRUE(used_with(with_body(good)));
  for (const char* member : {"format", "physics_version", "sweep", "time", "state", "segments"}) {
    Json other = good;
    other[member] = member == std::string("sweep") ? Json(sample_id(1).hex()) : Json(99);
    EXPECT_FALSE(used_with(with_body(other))) << member;
  }
  EXPECT_TRUE(used_with(with_body(good)));
  disk_.put("out/sweep.json", "{}\n");
  EXPECT_FALSE(read_status_file(disk_, "out"));
}

TEST_F(StatusFileTest, OfAnotherJournalItIsNotUsed) {
  end_filled();
  const std::string journal = disk_.content(journal_name);
  disk_.put(journal_name, journal.substr(0, journal.size() - 1));
  EXPECT_FALSE(read_status_file(disk_, "out")) << "shorter";
  std::string other = journal;
  other[other.size() - 100] ^= 1;
  disk_.put(journal_name, other);
  EXPECT_FALSE(read_status_file(disk_, "out")) << "other last records";
  disk_.put(journal_name, journal);
  EXPECT_TRUE(read_status_file(disk_, "out"));
  disk_.remove(journal_name);
  EXPECT_FALSE(read_status_file(disk_, "out")) << "gone";
}

/// visit() for each value in a document, which may be changed.
void for_each_value(Json& value, const std::function<void(Json&)>& visit) {
  visit(value);
  if (!value.is_structured()) return;
  for (Json& part : value) for_each_value(part, visit);
}

// Anybody can write a hash that holds.
TEST_F(StatusFileTest, WhateverItHoldsItDoesNotHarm) {
  end_filled();
  Json document = body();
  int cases = 0, unused = 0;
  for_each_value(document, [&](Json& value) {
    const Json kept = value;
    for (const Json& other : {Json(), Json(-1), Json(1e300), Json(~std::uint64_t{0}), Json("x"), Json::array(),
                              Json::array({1, 2, 3}), Json::object(), Json{{"x", 1}}}) {
      value = other;
      disk_.put(file_name, with_body(document));
      ++cases;
      const auto known = read_status_file(disk_, "out");
      if (!known) {
        ++unused;
        continue;
      }
      for (const auto& [name, owner] : known->state.owners) {
        EXPECT_TRUE(known->state.chips_of(shard_from_name(name).value_or(Shard{})));
      }
      EXPECT_LE(known->state.points.pending(), known->state.points.chosen);
      EXPECT_LE(known->state.chips.left(), known->state.chips.chips);
    }
    value = kept;
  });
  EXPECT_GT(cases, 400);
  EXPECT_GT(unused, 300);
}

TEST_F(StatusFileTest, AShardTellsOfTheOthersAsTheyWereAndGatherOfAll) {
  OutputFolder first = open("1of2");
  OutputFolder second = open("2of2");  // knows the header and the owner of the first
  record(first, status_result(0, 0));
  record(second, status_result(1, 0));
  end(first, "1of2");
  EXPECT_FALSE(read_status_file(disk_, "out")->exact);
  end(second, "2of2");
  const auto known = read_status_file(disk_, "out");
  ASSERT_TRUE(known);
  EXPECT_FALSE(known->exact);
  EXPECT_EQ(known->state.chips.done, 1u);

  const JournalContent journal = read_journal(disk_, "out");
  file(std::nullopt).write(sweep_state(context_, journal), journal);
  const auto gathered = read_status_file(disk_, "out");
  ASSERT_TRUE(gathered && gathered->exact);
  EXPECT_EQ(gathered->state.chips.done, 2u);
  EXPECT_EQ(gathered->state.chips_of(Shard{1, 2})->chips + gathered->state.chips_of(Shard{2, 2})->chips, 8u);
  EXPECT_EQ(gathered->state.chips_of(Shard{1, 2})->done + gathered->state.chips_of(Shard{2, 2})->done, 2u);
  EXPECT_FALSE(gathered->state.chips_of(Shard{1, 3}));
  EXPECT_TRUE(known_text(disk_, context_) == counted_text(disk_, context_));
}

TEST(KnownState, IsWorthShowingWhereCountingTakesLongAndItIsOfMost) {
  KnownState known;
  known.state.grid_points = 1000;
  known.journal_bytes = 1'000'000;
  known.bytes_since = 900'000;
  EXPECT_FALSE(worth_showing(known));
  known.state.grid_points = 1'000'000;
  EXPECT_TRUE(worth_showing(known));
  known.state.grid_points = 1000;
  known.journal_bytes = 100'000'000;
  EXPECT_TRUE(worth_showing(known));
  known.state.shards[2].resize(2);
  known.bytes_since = 10'000'000;
  EXPECT_TRUE(worth_showing(known));
  known.bytes_since = 10'000'001;
  EXPECT_FALSE(worth_showing(known));
}

TEST_F(StatusFileTest, AnotherShardsTornLineIsNotCovered) {
  {
    OutputFolder shard = open("1of2");
    record(shard, status_result(0, 0));
  }
  std::string& journal = disk_.content("out/journal-1of2-000001.jsonl");
  const std::string whole = journal;
  std::string line;
  append_journal_line(line, context_.grid.id(1), status_result(1, 0), "alpha");
  journal += line.substr(0, 80);
  disk_.settle("out/journal-1of2-000001.jsonl");
  {
    OutputFolder other = open("2of2");
    end(other, "2of2");
  }
  EXPECT_TRUE(read_status_file(disk_, "out")->exact);
  journal += line.substr(80);
  EXPECT_FALSE(read_status_file(disk_, "out")->exact);
  journal = whole;  // its owner came back and cut it off
  EXPECT_TRUE(read_status_file(disk_, "out")->exact);
}

TEST_F(StatusFileTest, IsNotWrittenWhereALineLacksItsNewline) {
  end_filled();
  disk_.remove(file_name);
  disk_.content(journal_name).pop_back();
  disk_.settle(journal_name);
  time_.pass(100);
  OutputFolder folder = open();
  end(folder);
  EXPECT_FALSE(disk_.has(file_name));
}

TEST_F(StatusFileTest, WhicheverCallFailsOnlyTheFileIsMissing) {
  OutputFolder folder = open();
  fill(folder);
  folder.sync();
  const SweepState state = sweep_state(context_, folder.content());
  const std::string journal = disk_.content(journal_name);
  std::set<std::string> left;
  for (const int error : {EIO, ENOSPC, EINTR, EMFILE, 0}) {
    for (const bool later_too : {false, true}) {
      for (const bool old_one : {false, true}) {
        for (std::uint64_t n = 1;; ++n) {
          if (disk_.has(file_name)) disk_.remove(file_name);
          if (old_one) disk_.put(file_name, "old");
          FailingFiles files(disk_);
          files.fail_at = n;
          files.error = error;
          files.later_too = later_too;
          StatusFile(files, time_, "out", sweep_copy_id(context_.sweep.resolved), "").write(state, folder.content());
          if (files.calls < n) break;
          const std::string now = disk_.has(file_name) ? disk_.content(file_name) : "none";
          left.insert(now.substr(0, 4));
          const auto known = read_status_file(disk_, "out");
          if (known) {
            EXPECT_TRUE(known_text(disk_, context_) == counted_text(disk_, context_));
          } else {
            EXPECT_TRUE(now == (old_one ? "old" : "none"));
          }
          ASSERT_EQ(disk_.content(journal_name), journal);
        }
      }
    }
  }
  EXPECT_EQ(left, (std::set<std::string>{"none", "old", "{\"ha"}));
}

TEST_F(StatusFileTest, NoFailingReadOfItIsAnError) {
  end_filled();
  int used = 0, cases = 0;
  for (std::uint64_t n = 1;; ++n) {
    FailingFiles files(disk_);
    files.fail_at = n;
    used += read_status_file(files, "out") ? 1 : 0;
    if (files.calls < n) break;
    ++cases;
  }
  EXPECT_EQ(used, 1);  // the last one, where nothing failed
  EXPECT_GT(cases, 8);
}

}  // namespace
}  // namespace crossgrid
