#include "crossgrid/app/status_keeper.hpp"

#include <gtest/gtest.h>

#include "app/status_sample.hpp"
#include "base/failing_files.hpp"
#include "crossgrid/engine/journal_sink.hpp"

namespace crossgrid {
namespace {

const char* const file_name = "out/status.json";

/// 22,000 points are not counted at once.
const SweepContext& large() {
  static const SweepContext context = status_context({{"from", 0.001}, {"to", 0.1}, {"count", 11'000}});
  return context;
}

/// Time in which each look at the clock while counting costs something.
class CostlyTime : public SampleTime {
 public:
  double cost = 0;
  mutable double spent = 0;
  double monotonic() const override {
    spent += cost;
    return now + spent;
  }
};

/// A run with its keeper; `disk` is the journal's, `files` those of the status file.
struct KeptRun {
  KeptRun(FileSystem& disk, FileSystem& files, const SampleTime& time, const SweepContext& context)
      : folder(disk, time, sample_process(), status_request(context)),
        sink(folder, time, "alpha", [](const std::string&) {}),
        file(files, time, "out", sweep_copy_id(context.sweep.resolved), ""),
        keeper(sink, folder, context, files, time, file, "out") {}
  void take(std::uint64_t point) {
    keeper.append({status_result(point, 0)}, [] {});
  }
  OutputFolder folder;
  JournalSink sink;
  StatusFile file;
  StatusKeeper keeper;
};

TEST(StatusKeeper, KeepsALargeSweepsStateEvery15Seconds) {
  ForgettingDisk disk;
  SampleTime time;
  KeptRun run(disk, disk, time, large());
  const auto done = [&] { return read_status_file(disk, "out")->state.chips.done; };
  run.take(0);
  run.keeper.poll();
  time.pass(14);
  run.keeper.poll();
  EXPECT_FALSE(disk.has(file_name));
  time.pass(1);
  run.keeper.poll();
  ASSERT_TRUE(disk.has(file_name));
  EXPECT_TRUE(read_status_file(disk, "out")->exact);
  EXPECT_EQ(done(), 1u);
  run.take(1);
  time.pass(14);
  run.keeper.poll();
  EXPECT_EQ(done(), 1u);
  EXPECT_FALSE(read_status_file(disk, "out")->exact);
  time.pass(1);
  run.keeper.poll();
  EXPECT_EQ(done(), 2u);
  EXPECT_TRUE(known_text(disk, large()) == counted_text(disk, large()));
}

TEST(StatusKeeper, TellsOfNothingThatIsNotDurable) {
  ForgettingDisk disk;
  SampleTime time;
  KeptRun run(disk, disk, time, large());
  time.pass(16);
  run.take(0);
  EXPECT_EQ(run.folder.durable(), 0u);
  run.keeper.poll();
  ASSERT_EQ(read_status_file(disk, "out")->state.chips.done, 1u);
  EXPECT_EQ(run.folder.durable(), 1u);
}

TEST(StatusKeeper, TellsTheLastOwnerWhereNothingWasRecorded) {
  ForgettingDisk disk;
  SampleTime time;
  KeptRun run(disk, disk, time, large());
  for (int i = 0; i < 3; ++i) {
    time.pass(16);
    run.keeper.poll();
  }
  const std::string heartbeat = utc_text(time.wall);
  EXPECT_NE(disk.content(file_name).find(heartbeat), std::string::npos);
  EXPECT_TRUE(known_text(disk, large()) == counted_text(disk, large()));
}

TEST(StatusKeeper, LeavesASmallSweepToWhoeverAsks) {
  const SweepContext small = status_context({0.0, 0.1});
  ForgettingDisk disk;
  SampleTime time;
  KeptRun run(disk, disk, time, small);
  run.take(0);
  time.pass(100);
  run.keeper.poll();
  EXPECT_FALSE(disk.has(file_name));
}

TEST(StatusKeeper, CountsTheLessOftenTheMoreItCosts) {
  ForgettingDisk disk;
  CostlyTime time;
  KeptRun run(disk, disk, time, large());
  time.cost = 0.5;
  time.pass(15);
  run.keeper.poll();
  ASSERT_TRUE(disk.has(file_name));
  const std::string first = disk.content(file_name);
  const double began = time.now + time.spent;
  run.take(0);
  double waited = 0;
  while (disk.content(file_name) == first && waited < 1000) {
    time.pass(1);
    run.keeper.poll();
    waited = time.now + time.spent - began;
  }
  EXPECT_GT(waited, 24);  // 50 times the half second between two looks at the clock, at least
  EXPECT_LT(waited, 400);
}

TEST(StatusKeeper, NoFailingCallOfItEndsARun) {
  int cases = 0;
  for (const int error : {EIO, ENOSPC, 0}) {
    for (const bool later_too : {false, true}) {
      for (std::uint64_t n = 1;; ++n) {
        ForgettingDisk disk;
        SampleTime time;
        FailingFiles files(disk);
        files.fail_at = n;
        files.error = error;
        files.later_too = later_too;
        KeptRun run(disk, files, time, large());
        run.take(0);
        time.pass(16);
        ASSERT_NO_THROW(run.keeper.poll()) << n << " " << error;
        ASSERT_NO_THROW(run.keeper.flush());
        ASSERT_EQ(read_journal(disk, "out").unit_records, 1u);
        const auto known = read_status_file(disk, "out");
        EXPECT_TRUE(!known || known->state.chips.done == 1);
        if (files.calls < n) break;
        ++cases;
      }
    }
  }
  EXPECT_GT(cases, 30);
}

TEST(StatusKeeper, WritesNothingWhileTheDiskIsFull) {
  ForgettingDisk disk;
  SampleTime time;
  FailingFiles full(disk);
  KeptRun run(full, disk, time, large());
  full.fail_at = full.calls + 1;
  full.later_too = full.only_writes = true;
  full.error = ENOSPC;
  run.take(0);
  time.pass(16);
  run.keeper.poll();
  EXPECT_FALSE(run.keeper.accepts());
  EXPECT_FALSE(disk.has(file_name));
}

// Whatever a file tells as exact after a loss of power is what the journal that came back tells.
TEST(StatusKeeper, AfterPowerLossNothingIsToldThatTheJournalHasLost) {
  int crashes = 0, exact = 0;
  for (std::uint64_t moment = 1;; ++moment) {
    ForgettingDisk disk(moment);
    SampleTime time;
    disk.crash_after = moment;
    bool ended = false;
    try {
      KeptRun run(disk, disk, time, large());
      for (std::uint64_t point = 0; point < 6; ++point) {
        time.pass(8);
        run.take(point);  // not synced yet
        run.keeper.poll();
      }
      ended = true;
    } catch (const ForgettingDisk::PowerLoss&) {
    }
    disk.crash();
    ++crashes;
    disk.create_folder("out");
    const auto known = read_status_file(disk, "out");
    ASSERT_EQ(known.has_value(), disk.has(file_name)) << moment;
    if (known && known->exact) {
      ++exact;
      ASSERT_TRUE(known_text(disk, large()) == counted_text(disk, large())) << moment;
    }
    if (ended) break;
  }
  EXPECT_GT(crashes, 30);
  EXPECT_GT(exact, 2);
}

}  // namespace
}  // namespace crossgrid
