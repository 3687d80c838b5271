#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <tuple>
#include <vector>

#include "base/forgetting_disk.hpp"
#include "crossgrid/engine/journal_reader.hpp"
#include "crossgrid/engine/journal_writer.hpp"
#include "engine/storage_sample.hpp"

/// A journal of 100 units, damaged in every way; and what must be read from it, said by its lines' places alone.
namespace crossgrid {

class DamagedJournal {
 public:
  explicit DamagedJournal(std::vector<std::string> lines) : lines_(std::move(lines)) {
    for (const std::string& line : lines_) text_ += line;
  }

  const std::string& text() const { return text_; }
  const std::vector<std::string>& lines() const { return lines_; }

  /// The unit lines left when bytes [begin, end) are no more what they were. A newline may be lost: both its neighbours
  /// are still whole.
  std::vector<std::string> left_without(std::size_t begin, std::size_t end) const {
    std::vector<std::string> left;
    std::size_t start = 0;
    for (const std::string& line : lines_) {
      const std::size_t last = start + line.size() - 1;  // its newline
      if (last <= begin || start >= end) left.push_back(line);
      start += line.size();
    }
    return units(left);
  }

  /// Of lines, those of units.
  static std::vector<std::string> units(const std::vector<std::string>& lines) {
    std::vector<std::string> result;
    for (const std::string& line : lines) {
      if (line.find("\"kind\":\"unit\"") != std::string::npos) result.push_back(line);
    }
    return result;
  }

  /// Number, from 1, and first byte of the line that holds a byte.
  std::pair<std::uint64_t, std::uint64_t> line_of(std::size_t byte) const {
    std::size_t start = 0;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      if (byte < start + lines_[i].size()) return {i + 1, start};
      start += lines_[i].size();
    }
    return {lines_.size(), start};
  }

 private:
  std::vector<std::string> lines_;
  std::string text_;
};

/// The unit records of a text, written again.
inline std::vector<std::string> recovered(const std::string& text, std::vector<JournalLoss>& losses,
                                          JournalTail* tail = nullptr) {
  ForgettingDisk disk;
  disk.put("out/journal-000001.jsonl", text);
  std::vector<std::string> units;
  const JournalTail end = read_segment(
      disk, "out/journal-000001.jsonl",
      [&](JournalRecord&& record) {
        if (const auto* unit = std::get_if<UnitRecord>(&record)) {
          append_journal_line(units.emplace_back(), unit->point, unit->result, unit->host);
        }
        return true;
      },
      losses);
  if (tail != nullptr) *tail = end;
  return units;
}

/// Opens a damaged journal for appending, adds one unit, and reads all: what was there, and the new one.
inline void expect_appendable(const std::string& text, const std::vector<std::string>& before) {
  ForgettingDisk disk;
  disk.put("out/journal-000001.jsonl", text);
  const SampleTime time;
  {
    const JournalContent content = read_journal(disk, "out");
    JournalWriter writer(disk, time, "out", sample_header(), content);
    const UnitResult result = sample_result(999, 0, 0, 100);
    const JournalWriter::Entry entry{sample_id(999), &result};
    ASSERT_EQ(writer.append({&entry, 1}, "alpha", [](std::uint64_t) { return Json::object(); }),
              AppendOutcome::written);
    writer.sync();
  }
  std::vector<JournalLoss> losses;
  const std::vector<std::string> after = recovered(disk.content("out/journal-000001.jsonl"), losses);
  ASSERT_EQ(after.size(), before.size() + 1);
  ASSERT_TRUE(std::equal(before.begin(), before.end(), after.begin()));
}

/// Every `step`-th truncation: all whole lines are read, a torn one is reported, and the journal can be continued.
inline void check_truncations(const DamagedJournal& journal, std::size_t begin, std::size_t step) {
  for (std::size_t size = begin; size < journal.text().size(); size += step) {
    const std::string text = journal.text().substr(0, size);
    std::vector<JournalLoss> losses;
    JournalTail tail;
    const std::vector<std::string> units = recovered(text, losses, &tail);
    ASSERT_EQ(units, journal.left_without(size, journal.text().size())) << "cut to " << size << " bytes";
    const auto [line, start] = journal.line_of(size);
    const bool whole = start == size || size == start + journal.lines()[line - 1].size() - 1;
    ASSERT_EQ(losses.size(), whole ? 0u : 1u) << size;
    if (!whole) {
      ASSERT_EQ(losses[0].line, line);
      ASSERT_EQ(losses[0].offset, start);
      ASSERT_EQ(losses[0].bytes, size - start);
      ASSERT_TRUE(losses[0].at_end);
    }
    ASSERT_EQ(tail.size, size);
    ASSERT_EQ(tail.good_end, start);
    ASSERT_EQ(tail.open_record, whole && size != start);
    expect_appendable(text, units);
  }
}

/// Every `step`-th byte flipped: its line is lost and named, all others are read.
inline void check_flips(const DamagedJournal& journal, std::size_t begin, std::size_t step, int mask) {
  for (std::size_t at = begin; at < journal.text().size(); at += step) {
    std::string text = journal.text();
    text[at] = static_cast<char>(text[at] ^ mask);
    std::vector<JournalLoss> losses;
    const std::vector<std::string> units = recovered(text, losses);
    ASSERT_EQ(units, journal.left_without(at, at + 1)) << "byte " << at << " ^ " << mask;
    ASSERT_EQ(losses.size(), 1u) << at;
    const auto [line, start] = journal.line_of(at);
    ASSERT_EQ(losses[0].line, line) << at;
    ASSERT_EQ(losses[0].offset, start) << at;
    const bool newline = journal.text()[at] == '\n';
    ASSERT_EQ(losses[0].bytes, newline ? 1 : journal.lines()[line - 1].size() - 1) << at;
  }
}

/// Every aligned 512-byte block zeroed: the lines in it are lost, all others are read.
inline void check_zeroed_blocks(const DamagedJournal& journal, std::size_t begin, std::size_t step) {
  constexpr std::size_t block = 512;
  for (std::size_t at = begin * block; at < journal.text().size(); at += step * block) {
    std::string text = journal.text();
    const std::size_t end = std::min(at + block, text.size());
    std::fill(text.begin() + static_cast<std::ptrdiff_t>(at), text.begin() + static_cast<std::ptrdiff_t>(end), '\0');
    std::vector<JournalLoss> losses;
    const std::vector<std::string> units = recovered(text, losses);
    ASSERT_EQ(units, journal.left_without(at, end)) << "block at " << at;
    ASSERT_GE(losses.size(), 1u);
    ASSERT_EQ(losses[0].offset, journal.line_of(at).second);
    expect_appendable(text, units);
  }
}

/// Pairs of lines swapped, and each line repeated after another: nothing is lost, nothing counted twice.
inline void check_moved_lines(const DamagedJournal& journal, std::size_t begin, std::size_t step) {
  const std::size_t count = journal.lines().size();
  for (std::size_t pair = begin; pair < count * count; pair += step) {
    const std::size_t a = pair / count, b = pair % count;
    if (a == 0 || b == 0) continue;  // the header stays the first
    std::vector<std::string> lines = journal.lines();
    if (a < b) {
      std::swap(lines[a], lines[b]);
    } else {
      lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(a), lines[b]);
    }
    ForgettingDisk disk;
    disk.put("out/journal-000001.jsonl", DamagedJournal(lines).text());
    const JournalContent content = read_journal(disk, "out");
    ASSERT_TRUE(content.losses.empty());
    const bool repeated_unit = a >= b && lines[a].find("\"kind\":\"unit\"") != std::string::npos;
    ASSERT_EQ(content.work.records(), repeated_unit ? 101u : 100u);
    ASSERT_EQ(content.work.duplicates(), repeated_unit ? 1u : 0u);
    ASSERT_EQ(content.work.point_count(), 10u);
    ASSERT_EQ(content.work.missing(sample_id(3), 4, {0, 200}, std::vector<std::string>{"top1"}).size(), 0u);
  }
}

}  // namespace crossgrid
