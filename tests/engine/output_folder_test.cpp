#include "crossgrid/engine/output_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/failing_files.hpp"
#include "base/forgetting_disk.hpp"
#include "crossgrid/base/error.hpp"
#include "engine/storage_sample.hpp"

namespace crossgrid {
namespace {

using testing::HasSubstr;

/// What a run does: continues the folder, runs all that is missing in units of `size` images, gathers, closes.
/// Acknowledged units are added to `acknowledged` as (point, trial, first).
using UnitKey = std::tuple<std::uint64_t, std::uint32_t, std::uint64_t>;
void run_sweep(FileSystem& files, SampleTime& time, std::set<UnitKey>& acknowledged, std::uint32_t size = 100) {
  OutputFolder folder(files, time, sample_process(), sample_output());
  const OutputRequest request = sample_output();
  std::vector<UnitKey> appended;
  for (std::uint64_t index = 0; index < request.points.size; ++index) {
    const PointTable::Row row = request.points.row(index);
    for (std::uint32_t trial = 0; trial < row.trials; ++trial) {
      for (const ImageSpan& gap :
           folder.work().missing(row.id, trial, request.database.images, request.database.metrics)) {
        for (std::uint64_t first = gap.first; first < gap.end(); first += size) {
          const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(size, gap.end() - first));
          const UnitResult result = sample_result(index, trial, first, count);
          if (folder.append({&result, 1}, "alpha") == AppendOutcome::disk_full) {
            throw Error(ExitCode::storage, "the disk is full");
          }
          appended.emplace_back(index, trial, first);
          time.now += 0.02;
          folder.tick();
          for (std::size_t i = 0; i < folder.durable(); ++i) acknowledged.insert(appended[i]);
        }
      }
    }
  }
  folder.write_database();
  folder.close();
  acknowledged.insert(appended.begin(), appended.end());
}

/// The database of an undisturbed run; its meta file aside, which names the runs.
std::vector<std::string> database_of(ForgettingDisk& disk) {
  return {disk.content("out/points.jsonl"), disk.content("out/sweep.json")};
}
std::vector<std::string> undisturbed() {
  ForgettingDisk disk;
  SampleTime time;
  std::set<UnitKey> acknowledged;
  run_sweep(disk, time, acknowledged);
  return database_of(disk);
}

bool is_recorded(const JournalContent& content, const UnitKey& unit) {
  const auto [point, trial, first] = unit;
  return content.work.missing(sample_id(point), trial, {first, 1}, std::vector<std::string>{}).empty() &&
         content.work.has_point(sample_id(point)) &&
         content.work.trial(sample_id(point), trial, {first, 100}, std::vector<std::string>{"top1", "loss"}).done;
}

std::string refusal(const std::function<void()>& action, ExitCode code) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  return "nothing was thrown";
}

class OutputFolderTest : public testing::Test {
 protected:
  OutputFolder open(const OutputRequest& request, const ProcessIdentity& self = sample_process()) {
    return OutputFolder(disk_, time_, self, request);
  }
  void fill(std::uint64_t point = 0) {
    OutputFolder folder(disk_, time_, sample_process(), sample_output());
    const UnitResult result = sample_result(point, 0, 0, 200);
    folder.append({&result, 1}, "alpha");
    folder.close();
  }

  ForgettingDisk disk_;
  SampleTime time_;
};

TEST_F(OutputFolderTest, ANewFolderGetsTheResolvedSweepAndAJournal) {
  const OutputFolder folder(disk_, time_, sample_process(), sample_output());
  EXPECT_FALSE(folder.findings().existed);
  EXPECT_EQ(folder.findings().points_new, 3u);
  EXPECT_EQ(folder.numeric_class(), std::nullopt);
  EXPECT_EQ(disk_.content("out/sweep.json"), "{\n  \"name\": \"sample\"\n}\n");
  EXPECT_THAT(disk_.content("out/journal-000001.jsonl"), HasSubstr("\"kind\":\"owner\""));
}

TEST_F(OutputFolderTest, TellsWhatIsDone) {
  fill(2);  // the deterministic point: one trial
  fill(0);
  OutputRequest request = sample_output(3);
  request.points = sample_points(3);
  const OutputFolder folder(disk_, time_, sample_process(), request);
  EXPECT_TRUE(folder.findings().existed);
  EXPECT_EQ(folder.findings().points_done, 1u);
  EXPECT_EQ(folder.findings().points_begun, 1u);
  EXPECT_EQ(folder.findings().points_new, 1u);
  EXPECT_EQ(folder.findings().points_elsewhere, 0u);
  EXPECT_EQ(folder.numeric_class(), "host avx2 oneDNN 2.6.3");
  EXPECT_EQ(recorded_numeric_class(disk_, "out"), "host avx2 oneDNN 2.6.3");
  EXPECT_EQ(recorded_numeric_class(disk_, "nowhere"), std::nullopt);
}

TEST_F(OutputFolderTest, PointsOutsideTheGridAreKeptAndCounted) {
  fill(0);
  fill(2);
  OutputRequest request = sample_output();
  request.points = sample_points(1);
  OutputFolder folder(disk_, time_, sample_process(), request);
  EXPECT_EQ(folder.findings().points_elsewhere, 1u);
  EXPECT_EQ(folder.write_database().points, 1u);
  EXPECT_TRUE(read_journal(disk_, "out").work.has_point(sample_id(2)));
}

TEST_F(OutputFolderTest, RefusesAnotherSweepAndSaysWhatDiffers) {
  fill();
  OutputRequest request = sample_output();
  request.header.seed = 2;
  request.header.dataset = "other";
  const std::string text = refusal([&] { open(request); }, ExitCode::conflict);
  EXPECT_THAT(text, HasSubstr("out: holds results of another sweep; what differs: the seed (there 1, now 2); the data "
                              "set's content"));
  EXPECT_THAT(text, HasSubstr("--extend"));
  request.extend = true;
  EXPECT_EQ(open(request).findings().points_begun, 1u);
}

TEST_F(OutputFolderTest, RefusesWhateverMakesResultsUnequal) {
  fill();
  const auto message = [&](const std::function<void(JournalHeader&)>& change) {
    OutputRequest request = sample_output();
    change(request.header);
    return refusal([&] { open(request); }, ExitCode::conflict);
  };
  EXPECT_THAT(message([](JournalHeader& header) { header.numeric_class = "host avx512 oneDNN 2.6.3"; }),
              HasSubstr("the numeric class (there host avx2 oneDNN 2.6.3, now host avx512 oneDNN 2.6.3)"));
  EXPECT_THAT(message([](JournalHeader& header) { header.first_image = 7; }),
              HasSubstr("the first test image (there 0, now 7)"));
  EXPECT_THAT(message([](JournalHeader& header) { header.images = 100; }),
              HasSubstr("the number of test images (there 200, now 100)"));
  EXPECT_THAT(message([](JournalHeader& header) { header.network = "other"; }), HasSubstr("the network's content"));
}

TEST_F(OutputFolderTest, RefusesAGridThatSharesNothing) {
  fill();
  OutputRequest request = sample_output();
  request.points.id = [](std::uint64_t index) { return sample_id(index + 50); };
  EXPECT_THAT(refusal([&] { open(request); }, ExitCode::conflict),
              HasSubstr("1 points, none of which is in this grid"));
  request.extend = true;
  EXPECT_EQ(open(request).findings().points_elsewhere, 1u);
}

TEST_F(OutputFolderTest, RefusesAnotherPhysicsVersion) {
  JournalHeader old = sample_header();
  old.physics_version = physics_version + 1;
  disk_.put("out/journal-000001.jsonl", journal_line(old));
  EXPECT_THAT(refusal([&] { open(sample_output()); }, ExitCode::conflict), HasSubstr("the physics version"));
}

TEST_F(OutputFolderTest, ASecondRunIsRefusedWithHostProcessAndTime) {
  const OutputFolder first(disk_, time_, sample_process(), sample_output());
  EXPECT_THAT(refusal([&] { open(sample_output(), sample_process("alpha", 99)); }, ExitCode::busy),
              HasSubstr("out: in use by process 4711 on host alpha, since 2026-11-24T02:48:39Z"));
}

TEST_F(OutputFolderTest, AHeartbeatIsWrittenWhenItIsDue) {
  OutputFolder folder(disk_, time_, sample_process(), sample_output());
  time_.pass(owner_heartbeat_seconds + 1);
  folder.tick();
  EXPECT_EQ(read_journal(disk_, "out").owners.at("").record.heartbeat, "2026-11-24T02:48:55Z");
  folder.close();
  EXPECT_TRUE(read_journal(disk_, "out").owners.at("").record.released);
}

TEST_F(OutputFolderTest, DamageIsToldAndItsUnitsAreMissingAgain) {
  fill(2);
  std::string& text = disk_.content("out/journal-000001.jsonl");
  text[text.find("\"kind\":\"unit\"") + 60] ^= 1;
  disk_.settle("out/journal-000001.jsonl");
  const OutputFolder folder(disk_, time_, sample_process(), sample_output());
  ASSERT_EQ(folder.findings().notes.size(), 1u);
  EXPECT_THAT(folder.findings().notes[0], HasSubstr("out/journal-000001.jsonl:4: byte"));
  EXPECT_THAT(folder.findings().notes[0], HasSubstr("the checksum does not hold"));
  EXPECT_EQ(folder.findings().points_new, 3u);
}

TEST_F(OutputFolderTest, ARepairIsTold) {
  fill();
  disk_.content("out/journal-000001.jsonl") += "{\"crc\":\"";
  const OutputFolder folder(disk_, time_, sample_process(), sample_output());
  EXPECT_THAT(folder.findings().notes, testing::Contains(HasSubstr("cut 8 bytes of a torn last line off")));
}

// An executor may write any bytes before it dies.
TEST_F(OutputFolderTest, WhyAUnitFailedIsKeptAsTheJournalHasIt) {
  UnitResult failed = sample_failure(0, 0, 0, 200);
  failed.reason = "\xff" + std::string(10'000, 'r');
  failed.log = std::string(10'000, 'l') + "\xfe";
  OutputFolder folder(disk_, time_, sample_process(), sample_output());
  folder.append({&failed, 1}, "alpha");
  folder.write_database();
  const auto failure = [](const RecordedWork& work) {
    return work.trial(sample_id(0), 0, {0, 200}, std::vector<std::string>{"top1"}).failed.at(0);
  };
  const FailedSpan kept = failure(folder.work()), read = failure(read_journal(disk_, "out").work);
  EXPECT_EQ(kept.reason, "\xef\xbf\xbd" + std::string(8191, 'r'));
  EXPECT_EQ(kept.log, std::string(8191, 'l') + "\xef\xbf\xbd");
  EXPECT_EQ(read.reason, kept.reason);
  EXPECT_EQ(read.log, kept.log);
}

// Every call of a whole run fails once, or all from it on, with each error. Nothing acknowledged may be lost, the
// message must be an Error, and the next run must finish with the same database.
TEST(OutputFolderFailures, WhicheverCallFailsNothingAcknowledgedIsLostAndTheNextRunFinishes) {
  const std::vector<std::string> expected = undisturbed();
  int cases = 0, failures = 0;
  for (const int error : {EIO, ENOSPC, EINTR, EMFILE, 0}) {
    for (const bool later_too : {false, true}) {
      for (std::uint64_t n = 1;; ++n) {
        ForgettingDisk disk;
        SampleTime time;
        std::set<UnitKey> acknowledged;
        FailingFiles files(disk);
        files.fail_at = n;
        files.error = error;
        files.later_too = later_too;
        ++cases;
        try {
          run_sweep(files, time, acknowledged);
        } catch (const Error& failure) {
          ++failures;
          const bool expected_code = failure.code() == ExitCode::storage || failure.code() == ExitCode::bad_input;
          ASSERT_TRUE(expected_code) << failure.what();
          ASSERT_GT(std::string(failure.what()).size(), 10u);
        }
        if (files.calls < n) break;
        time.pass(120);
        // A folder that was never made, or whose listing is empty, is a new start.
        if (disk.has("out/journal-000001.jsonl")) {
          const JournalContent content = read_journal(disk, "out");
          for (const UnitKey& unit : acknowledged) ASSERT_TRUE(is_recorded(content, unit)) << n << " " << error;
        } else {
          ASSERT_TRUE(acknowledged.empty());
        }
        run_sweep(disk, time, acknowledged);
        ASSERT_EQ(database_of(disk), expected) << n << " " << error;
      }
    }
  }
  EXPECT_GT(cases, 300);
  EXPECT_GT(failures, 150);
}

struct CrashReport {
  int crashes = 0;
  int lost = 0;          ///< acknowledged units that are gone
  int bad_database = 0;  ///< databases that are neither absent nor whole
  int unfinished = 0;    ///< next runs that did not give the undisturbed database
};

/// Loses power after each operation of a run, with a few seeds; recovers; runs to the end.
CrashReport crash_everywhere(bool lies_about_sync, std::uint64_t seeds) {
  const std::vector<std::string> expected = undisturbed();
  CrashReport report;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    for (std::uint64_t moment = 1;; ++moment) {
      ForgettingDisk disk(seed * 1000 + moment);
      disk.lies_about_sync = lies_about_sync;
      disk.crash_after = moment;
      SampleTime time;
      std::set<UnitKey> acknowledged;
      bool ended = false;
      try {
        run_sweep(disk, time, acknowledged);
        ended = true;
      } catch (const ForgettingDisk::PowerLoss&) {
      }
      disk.crash();
      ++report.crashes;
      disk.lies_about_sync = false;
      time.pass(120);
      disk.create_folder("out");
      const JournalContent content = read_journal(disk, "out");
      for (const UnitKey& unit : acknowledged) report.lost += is_recorded(content, unit) ? 0 : 1;
      if (disk.has("out/points.jsonl") && disk.content("out/points.jsonl") != expected[0]) ++report.bad_database;
      try {
        run_sweep(disk, time, acknowledged);
        report.unfinished += database_of(disk) == expected ? 0 : 1;
      } catch (const Error&) {
        ++report.unfinished;
      }
      if (ended) break;
    }
  }
  return report;
}

TEST(OutputFolderCrash, PowerLossAtAnyMomentLosesNothingAcknowledged) {
  const CrashReport report = crash_everywhere(false, 20);
  EXPECT_GT(report.crashes, 500);
  EXPECT_EQ(report.lost, 0);
  EXPECT_EQ(report.bad_database, 0);
  EXPECT_EQ(report.unfinished, 0);
}

// The deliberate fault: without fdatasync the test above must fail, and does.
TEST(OutputFolderCrash, TheTestSeesAMissingSync) {
  const CrashReport report = crash_everywhere(true, 5);
  EXPECT_GT(report.lost, 20);
  EXPECT_GT(report.bad_database, 0);
}

}  // namespace
}  // namespace crossgrid
