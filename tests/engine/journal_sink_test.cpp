#include "crossgrid/engine/journal_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/failing_files.hpp"
#include "base/forgetting_disk.hpp"
#include "crossgrid/base/error.hpp"
#include "engine/storage_sample.hpp"

namespace crossgrid {
namespace {

class JournalSinkTest : public testing::Test {
 protected:
  void append(std::uint64_t point) {
    sink_.append({sample_result(point, 0, 0, 200)}, [this, point] { durable_.push_back(point); });
  }

  ForgettingDisk disk_;
  FailingFiles files_{disk_};
  SampleTime time_;
  OutputFolder folder_{files_, time_, sample_process(), sample_output()};
  std::vector<std::string> warnings_;
  std::vector<std::uint64_t> durable_;
  JournalSink sink_{folder_, time_, "alpha", [this](const std::string& text) { warnings_.push_back(text); }, 60};
};

TEST_F(JournalSinkTest, AcknowledgesAfterTheSyncNotBefore) {
  append(0);
  append(1);
  sink_.poll();
  EXPECT_THAT(durable_, testing::IsEmpty());
  time_.now += 0.06;
  sink_.poll();
  EXPECT_THAT(durable_, testing::ElementsAre(0, 1));
  append(2);
  sink_.flush();
  EXPECT_THAT(durable_, testing::ElementsAre(0, 1, 2));
}

TEST_F(JournalSinkTest, HoldsResultsWhileTheDiskIsFull) {
  files_.only_writes = files_.later_too = true;
  files_.error = ENOSPC;
  files_.fail_at = files_.calls + 1;
  EXPECT_TRUE(sink_.accepts());
  append(0);
  append(1);
  EXPECT_EQ(warnings_.size(), 1u);
  EXPECT_FALSE(sink_.accepts());
  for (int i = 0; i < 5; ++i) {
    time_.pass(6);
    sink_.poll();
  }
  EXPECT_THAT(durable_, testing::IsEmpty());
  files_.fail_at = 0;
  time_.pass(6);
  sink_.poll();
  EXPECT_TRUE(sink_.accepts());
  time_.pass(1);
  sink_.poll();
  EXPECT_THAT(durable_, testing::ElementsAre(0, 1));
  EXPECT_THAT(warnings_, testing::ElementsAre(testing::HasSubstr("the disk is full"),
                                              "the disk takes results again: the run goes on"));
}

// What a power cut takes: with the engine's turns every 5 ms, results of at most 60 ms, or as long as an fdatasync
// takes.
TEST_F(JournalSinkTest, NoResultWaitsLongForItsSync) {
  constexpr double turn = 0.005;
  std::vector<double> appended;
  for (std::uint64_t i = 0; i < 600; ++i, time_.now += turn) {
    if (i % 3 == 0 && i < 570) {
      appended.push_back(time_.now);
      append(i % 2);
    }
    sink_.poll();
    const double oldest = durable_.size() < appended.size() ? appended[durable_.size()] : time_.now;
    EXPECT_LE(time_.now - oldest, 0.06);
  }
  EXPECT_EQ(durable_.size(), appended.size());
}

TEST_F(JournalSinkTest, AFailedSyncIsFinal) {
  append(0);
  time_.now += 0.06;
  files_.error = EIO;
  files_.fail_at = files_.calls + 1;  // the fdatasync
  EXPECT_THROW(sink_.poll(), Error);
  EXPECT_THAT(durable_, testing::IsEmpty());
  // The disk is well again, and would say that all is written: it is not to be asked.
  try {
    sink_.flush();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::storage);
    EXPECT_THAT(error.what(), testing::HasSubstr("can't sync it"));
  }
  EXPECT_THAT(durable_, testing::IsEmpty());
}

TEST_F(JournalSinkTest, GivesUpADiskThatStaysFull) {
  files_.only_writes = files_.later_too = true;
  files_.error = ENOSPC;
  files_.fail_at = files_.calls + 1;
  append(0);
  EXPECT_THROW(sink_.flush(), Error);
  time_.pass(30);
  sink_.poll();
  time_.pass(31);
  try {
    sink_.poll();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::storage);
  }
}

}  // namespace
}  // namespace crossgrid
