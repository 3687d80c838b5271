#include "crossgrid/engine/journal_reader.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include "base/failing_files.hpp"
#include "crossgrid/base/error.hpp"
#include "engine/journal_damage.hpp"

namespace crossgrid {
namespace {

const std::string segment = "out/journal-000001.jsonl";

/// A line with a right checksum around any members.
std::string line_of(const std::string& members) {
  const std::string body = members + "}";
  const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(body.data()), body.size());
  char digits[9];
  std::snprintf(digits, sizeof digits, "%08lx", crc);
  return std::string("{\"crc\":\"") + digits + "\"," + body + "\n";
}

// A sample of 5 %; journal_slow_test.cpp does all of them.
constexpr std::size_t sample = 20;

class JournalDamage : public testing::Test {
 protected:
  DamagedJournal journal_{sample_journal_lines()};
};

TEST_F(JournalDamage, AWholeJournalIsReadWhole) {
  std::vector<JournalLoss> losses;
  EXPECT_EQ(recovered(journal_.text(), losses), DamagedJournal::units(journal_.lines()));
  EXPECT_EQ(recovered(journal_.text(), losses).size(), 100u);
  EXPECT_TRUE(losses.empty());
}

TEST_F(JournalDamage, TruncatedAnywhere) {
  check_truncations(journal_, 3, sample);
}
TEST_F(JournalDamage, OneBitFlippedAnywhere) {
  check_flips(journal_, 7, sample, 0x01);
}
TEST_F(JournalDamage, EightBitsFlippedAnywhere) {
  check_flips(journal_, 11, sample, 0xFF);
}
TEST_F(JournalDamage, BlocksOfZeros) {
  check_zeroed_blocks(journal_, 0, 3);
}
TEST_F(JournalDamage, LinesSwappedOrRepeated) {
  check_moved_lines(journal_, 5, sample);
}

TEST_F(JournalDamage, EveryNewlineLostIsNoRecordLost) {
  std::size_t at = 0;
  for (const std::string& line : journal_.lines()) {
    at += line.size();
    std::string text = journal_.text();
    text[at - 1] = ' ';
    std::vector<JournalLoss> losses;
    ASSERT_EQ(recovered(text, losses).size(), 100u) << at;
  }
}

TEST_F(JournalDamage, MegabytesOfZerosInTheMiddleLoseOnlyTheLineTheyHit) {
  for (const std::size_t zeros :
       {std::size_t{8561}, journal_line_limit - 10, std::size_t{3} << 20, std::size_t{9} << 20}) {
    const std::size_t at = journal_.text().size() / 2;
    std::vector<JournalLoss> losses;
    const std::string text = journal_.text().substr(0, at) + std::string(zeros, '\0') + journal_.text().substr(at);
    EXPECT_EQ(recovered(text, losses), journal_.left_without(at, at + 1));
    ASSERT_EQ(losses.size(), 1u);
    const auto [line, start] = journal_.line_of(at);
    EXPECT_EQ(losses[0].line, line);
    EXPECT_EQ(losses[0].offset, start);
    EXPECT_EQ(losses[0].bytes, zeros + journal_.lines()[line - 1].size() - 1);
  }
}

TEST(JournalReader, LossesAreNamedWithFileLineAndByte) {
  const JournalLoss loss{"out/journal-000001.jsonl", 17, 2310, 8192, "zeros", false};
  EXPECT_EQ(loss.text(), "out/journal-000001.jsonl:17: byte 2310: 8192 bytes lost: zeros");
}

TEST(JournalReader, ARightChecksumOnAnImpossibleRecordIsALossNotACrash) {
  ForgettingDisk disk;
  disk.put(segment, journal_line(sample_header()) + line_of(R"("kind":"unit","point":"xyz")") +
                        line_of(R"("kind":"unit","point":"00000000000000000000000000000001","trial":0,"first":0,)"
                                R"("count":0,"status":"done","metrics":{},"seconds":1,"attempts":1,"host":"a")"));
  const JournalContent content = read_journal(disk, "out");
  ASSERT_EQ(content.losses.size(), 2u);
  EXPECT_NE(content.losses[0].reason.find("no record of this format"), std::string::npos);
  EXPECT_EQ(content.work.records(), 0u);
}

TEST(JournalReader, ReadsLinesUpToTheLimit) {
  const std::string about = "\"kind\":\"point\",\"id\":\"00000000000000000000000000000001\",\"parameters\":{\"x\":\"";
  const std::string line = line_of(about + std::string(journal_line_limit - 200, 'x') + "\"}");
  ForgettingDisk disk;
  disk.put(segment, line + line + line + line + line + journal_line(sample_header()));
  const JournalContent content = read_journal(disk, "out");
  EXPECT_TRUE(content.losses.empty());
  EXPECT_EQ(content.defined.size(), 1u);
  EXPECT_EQ(content.headers.size(), 1u);
}

TEST(JournalReader, ANewerFormatIsRefusedWithBothVersions) {
  ForgettingDisk disk;
  disk.put(segment, line_of(R"("kind":"header","format":2,"program":"3.1.4","other":1)"));
  try {
    read_journal(disk, "out");
    FAIL();
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_EQ(error.code(), ExitCode::bad_input);
    EXPECT_NE(text.find("journal format 2 (by crossgrid 3.1.4)"), std::string::npos) << text;
    EXPECT_NE(text.find("reads format 1"), std::string::npos) << text;
  }
}

TEST(JournalReader, RecordsOfAnotherPhysicsVersionAreNotUsed) {
  JournalHeader old = sample_header();
  old.physics_version = physics_version + 1;
  std::string text = journal_line(old);
  append_journal_line(text, sample_id(1), sample_result(1, 0, 0, 200), "alpha");
  text += journal_line(sample_header());
  append_journal_line(text, sample_id(2), sample_result(2, 0, 0, 200), "alpha");
  ForgettingDisk disk;
  disk.put(segment, text);
  const JournalContent content = read_journal(disk, "out");
  EXPECT_EQ(content.unit_records, 2u);
  EXPECT_EQ(content.other_physics, 1u);
  EXPECT_FALSE(content.work.has_point(sample_id(1)));
  EXPECT_TRUE(content.work.has_point(sample_id(2)));
}

TEST(JournalReader, SegmentsOfAllShardsAreRead) {
  ForgettingDisk disk;
  std::string a = journal_line(sample_header()), b = a;
  append_journal_line(a, sample_id(1), sample_result(1, 0, 0, 200), "alpha");
  append_journal_line(b, sample_id(2), sample_result(2, 0, 0, 200), "beta");
  disk.put("out/journal-000001.jsonl", a);
  disk.put("out/journal-gpu7-000001.jsonl", b);
  disk.put("out/journal-1.jsonl", "not a segment");
  disk.put("out/journal.lock", "");
  EXPECT_EQ(journal_segments(disk, "out"),
            (std::vector<std::string>{"out/journal-000001.jsonl", "out/journal-gpu7-000001.jsonl"}));
  EXPECT_EQ(read_journal(disk, "out").work.point_count(), 2u);
}

TEST(JournalReader, TheLastOwnerCounts) {
  ForgettingDisk disk;
  const OwnerRecord first{"alpha", 1, "b", "2026-11-24T02:48:39Z", "2026-11-24T02:48:39Z", false};
  OwnerRecord second = first;
  second.released = true;
  disk.put(segment, journal_line(first) + journal_line(second));
  EXPECT_EQ(read_journal(disk, "out").owners.at("").record, second);
}

TEST(JournalReader, AReadErrorIsAMessageNotAPartialAnswer) {
  ForgettingDisk disk;
  disk.put(segment, journal_line(sample_header()));
  for (const int error : {EIO, EACCES}) {
    for (std::uint64_t n = 1; n <= 3; ++n) {
      FailingFiles files(disk);
      files.fail_at = n;
      files.error = error;
      EXPECT_THROW(read_journal(files, "out"), Error) << n;
    }
  }
}

/// A journal of many blocks: unit n is of images from n on; each 1000th line is damaged, a header before each 4096th.
class LongJournal : public testing::Test {
 protected:
  static constexpr std::uint64_t units = 40'000;

  LongJournal() {
    std::uint64_t line = 1;
    const auto add = [&](std::string text) {
      if (line % 1000 == 0) {
        text[text.size() / 2] = static_cast<char>(text[text.size() / 2] ^ 1);
        damaged_.push_back({segment, line, text_.size(), text.size() - 1, "the checksum does not hold", false});
      }
      text_ += text;
      ++line;
    };
    for (std::uint64_t n = 0; n < units; ++n) {
      if (n % 4096 == 0) {
        JournalHeader header = sample_header();
        header.seed = n;
        add(journal_line(header));
      }
      std::string text;
      append_journal_line(text, sample_id(n), sample_result(n, 0, n, 1), std::string(200, 'h'));
      if (line % 1000 != 0) left_.push_back(n);
      add(text);
    }
    disk_.put(segment, text_);
  }

  ForgettingDisk disk_;
  std::string text_;
  std::vector<JournalLoss> damaged_;
  std::vector<std::uint64_t> left_;  ///< units whose lines are whole
};

TEST_F(LongJournal, IsReadInItsOrder) {
  ASSERT_GT(text_.size(), 4 * 4 * journal_line_limit);
  std::vector<std::uint64_t> read;
  std::vector<JournalLoss> losses;
  std::uint64_t last_header = units;
  const JournalTail tail = read_segment(
      disk_, segment,
      [&](JournalRecord&& record) {
        if (const auto* header = std::get_if<JournalHeader>(&record)) last_header = header->seed;
        if (const auto* unit = std::get_if<UnitRecord>(&record)) {
          read.push_back(unit->result.unit.first);
          EXPECT_EQ(last_header, read.back() / 4096 * 4096) << "of unit " << read.back();
          EXPECT_EQ(unit->point, sample_id(read.back()));
        }
        return true;
      },
      losses);
  EXPECT_EQ(read, left_);
  ASSERT_EQ(losses.size(), damaged_.size());
  for (std::size_t i = 0; i < losses.size(); ++i) EXPECT_EQ(losses[i].text(), damaged_[i].text());
  EXPECT_EQ(tail.size, text_.size());
  EXPECT_EQ(tail.good_end, text_.size());
}

TEST_F(LongJournal, IsReadAsFarAsAskedFor) {
  for (const std::uint64_t wanted : {1, 10'000, 35'000}) {
    std::uint64_t read = 0;
    std::vector<JournalLoss> losses;
    read_segment(
        disk_, segment, [&](JournalRecord&&) { return ++read < wanted; }, losses);
    EXPECT_EQ(read, wanted);
  }
}

TEST(JournalReader, SurvivesRandomBytes) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string text = i % 2 == 0 ? "" : sample_journal_lines()[static_cast<std::size_t>(i) % 100];
    const std::string alphabet = "{}[]\":,\\ncr0123456789truefalsenull \n\xff";
    for (int k = 0; k < 300; ++k) {
      const char c = alphabet[random() % alphabet.size()];
      text.insert(text.begin() + static_cast<std::ptrdiff_t>(random() % (text.size() + 1)), c);
    }
    std::vector<JournalLoss> losses;
    EXPECT_LE(recovered(text, losses).size(), 1u);
  }
}

}  // namespace
}  // namespace crossgrid
