#include "crossgrid/engine/journal_writer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/failing_files.hpp"
#include "base/forgetting_disk.hpp"
#include "crossgrid/base/error.hpp"
#include "engine/storage_sample.hpp"

namespace crossgrid {
namespace {

const std::string first_segment = "out/journal-000001.jsonl";

class JournalWriterTest : public testing::Test {
 protected:
  JournalWriterTest() {
    disk_.create_folder("out");
    files_.only_writes = true;
  }

  std::unique_ptr<JournalWriter> open(JournalWriterOptions options = {}) {
    return std::make_unique<JournalWriter>(files_, time_, "out", sample_header(), read_journal(disk_, "out"), options);
  }
  AppendOutcome append(JournalWriter& writer, std::uint64_t point, std::uint32_t trial = 0, std::uint64_t first = 0) {
    const UnitResult result = sample_result(point, trial, first, 100);
    const JournalWriter::Entry entry{sample_id(point), &result};
    return writer.append({&entry, 1}, "alpha", [](std::uint64_t index) { return Json{{"adc.bits", index}}; });
  }
  std::size_t count(const std::string& kind) {
    std::size_t found = 0;
    for (const std::string& path : disk_.paths()) {
      const std::string& text = disk_.content(path);
      for (std::size_t at = 0; (at = text.find("\"kind\":\"" + kind, at)) != std::string::npos; ++at) ++found;
    }
    return found;
  }

  ForgettingDisk disk_;
  FailingFiles files_{disk_};
  SampleTime time_;
};

TEST_F(JournalWriterTest, ABatchIsOneWrite) {
  const auto writer = open();
  std::vector<UnitResult> results;
  for (std::uint64_t i = 0; i < 64; ++i) results.push_back(sample_result(i, 0, 0, 100));
  std::vector<JournalWriter::Entry> entries;
  for (const UnitResult& result : results) entries.push_back({sample_id(result.unit.point), &result});
  writer->append(entries, "alpha", [](std::uint64_t) { return Json::object(); });
  EXPECT_EQ(files_.calls, 1u);
  EXPECT_EQ(writer->appended(), 64u);
  EXPECT_EQ(read_journal(disk_, "out").work.records(), 64u);
}

TEST_F(JournalWriterTest, DefinesAPointOnceEvenAcrossRuns) {
  for (int run = 0; run < 2; ++run) {
    const auto writer = open();
    for (std::uint32_t trial = 0; trial < 3; ++trial) append(*writer, 7, static_cast<std::uint32_t>(run) * 3 + trial);
  }
  EXPECT_EQ(count("point"), 1u);
  EXPECT_EQ(count("unit"), 6u);
  EXPECT_EQ(count("header"), 2u);
}

TEST_F(JournalWriterTest, SyncsAGroupWhenItsTimeHasCome) {
  const auto writer = open();
  EXPECT_TRUE(std::isinf(writer->seconds_to_sync()));
  append(*writer, 1);
  EXPECT_FALSE(writer->sync_due());
  time_.now += 0.03;
  append(*writer, 2);
  EXPECT_NEAR(writer->seconds_to_sync(), 0.02, 1e-9);
  time_.now += 0.021;
  EXPECT_TRUE(writer->sync_due());
  EXPECT_EQ(writer->durable(), 0u);
  writer->sync();
  EXPECT_EQ(writer->durable(), 2u);
  EXPECT_FALSE(writer->sync_due());
}

TEST_F(JournalWriterTest, StartsANewSegmentWithAHeaderWhereOneIsFull) {
  JournalWriterOptions options;
  options.segment_bytes = 2000;
  {
    const auto writer = open(options);
    for (std::uint64_t i = 0; i < 20; ++i) append(*writer, i);
  }
  const std::size_t segments = journal_segments(disk_, "out").size();
  EXPECT_GE(segments, 3u);
  EXPECT_EQ(count("header"), segments);
  for (const std::string& path : journal_segments(disk_, "out")) {
    EXPECT_EQ(disk_.content(path).find("\"kind\":\"header\""), 18u) << path;
    EXPECT_LT(disk_.content(path).size(), 3500u);
  }
  // The next run goes on in the last one.
  const auto writer = open(options);
  append(*writer, 100);
  EXPECT_LE(journal_segments(disk_, "out").size(), segments + 1);
  EXPECT_EQ(read_journal(disk_, "out").work.records(), 21u);
}

TEST_F(JournalWriterTest, AShardHasAJournalOfItsOwn) {
  JournalWriterOptions options;
  options.shard = "gpu7";
  append(*open(), 1);
  append(*open(options), 2);
  EXPECT_THAT(journal_segments(disk_, "out"), testing::ElementsAre(first_segment, "out/journal-gpu7-000001.jsonl"));
}

TEST_F(JournalWriterTest, CutsATornTailOffAndSaysSo) {
  append(*open(), 1);
  disk_.content(first_segment) += "{\"crc\":\"0123";
  const auto writer = open();
  EXPECT_EQ(writer->repair(), first_segment + ": cut 12 bytes of a torn last line off");
  append(*writer, 2);
  const JournalContent content = read_journal(disk_, "out");
  EXPECT_EQ(content.work.records(), 2u);
  EXPECT_TRUE(content.losses.empty());
}

TEST_F(JournalWriterTest, EndsALastLineThatLacksOnlyItsNewline) {
  append(*open(), 1);
  disk_.content(first_segment).pop_back();
  const auto writer = open();
  EXPECT_EQ(writer->repair(), first_segment + ": added the missing end of the last line");
  append(*writer, 2);
  const JournalContent content = read_journal(disk_, "out");
  EXPECT_EQ(content.work.records(), 2u);
  EXPECT_TRUE(content.losses.empty());
}

TEST_F(JournalWriterTest, NoRepairIsNoNews) {
  append(*open(), 1);
  EXPECT_EQ(open()->repair(), "");
}

TEST_F(JournalWriterTest, AJournalThatGrewSinceItWasReadIsBusy) {
  append(*open(), 1);
  const JournalContent content = read_journal(disk_, "out");
  append(*open(), 2);
  try {
    JournalWriter(files_, time_, "out", sample_header(), content);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::busy);
  }
}

// The batch is torn in its middle: half of it arrives, then there is no room.
TEST_F(JournalWriterTest, AFullDiskLeavesTheJournalAsItWasAndCanBeTriedAgain) {
  for (const int error : {ENOSPC, EDQUOT}) {
    const auto writer = open();
    append(*writer, 1, static_cast<std::uint32_t>(error));
    const std::string before = disk_.content(first_segment);
    files_.fail_at = files_.calls + 1;
    files_.error = error;
    files_.half_write = files_.later_too = true;
    const auto point = static_cast<std::uint64_t>(error);
    EXPECT_EQ(append(*writer, point), AppendOutcome::disk_full);
    EXPECT_EQ(append(*writer, point), AppendOutcome::disk_full);
    EXPECT_EQ(disk_.content(first_segment), before);
    EXPECT_EQ(writer->appended(), 1u);
    files_.fail_at = 0;
    EXPECT_EQ(append(*writer, point), AppendOutcome::written);
    const JournalContent after = read_journal(disk_, "out");
    EXPECT_TRUE(after.losses.empty());
    EXPECT_TRUE(after.work.has_point(sample_id(point)));
    EXPECT_TRUE(after.defined.contains(sample_id(point)));
  }
}

TEST_F(JournalWriterTest, AFailedSyncIsFinal) {
  FailingFiles failing(disk_);
  JournalWriter writer(failing, time_, "out", sample_header(), {});
  append(writer, 1);
  failing.fail_at = failing.calls + 1;
  failing.error = EIO;
  std::string message;
  try {
    writer.sync();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::storage);
    message = error.what();
  }
  EXPECT_EQ(message, first_segment +
                         ": can't sync it: Input/output error; results recorded before are kept, the same command "
                         "continues");
  // The disk would say yes now; the writer must not believe it.
  EXPECT_THROW(writer.sync(), Error);
  EXPECT_THROW(append(writer, 2), Error);
  EXPECT_EQ(writer.durable(), 0u);
}

TEST_F(JournalWriterTest, AnUnwritableJournalIsNamed) {
  FailingFiles failing(disk_);
  failing.fail_at = 2;  // after the listing
  failing.error = EROFS;
  try {
    JournalWriter(failing, time_, "out", sample_header(), {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::storage);
    EXPECT_NE(std::string(error.what()).find(first_segment + ": can't open it: Read-only file system"),
              std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace crossgrid
