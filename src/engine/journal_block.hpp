#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crossgrid/engine/journal_parser.hpp"
#include "crossgrid/engine/journal_record.hpp"

namespace crossgrid {

/// Lines of a segment that follow one another, and what they hold. Blocks know nothing of each other: they can be
/// parsed on several threads.
struct JournalBlock {
  struct Line {
    std::string_view text;                ///< without newline
    std::optional<JournalRecord> record;  ///< nothing: the line as a whole is no record
    std::string problem;                  ///< why not, where its checksum holds
  };

  std::unique_ptr<char[]> bytes;  ///< journal_padding() more than `size`
  std::size_t size = 0;
  std::uint64_t offset = 0;   ///< of the first byte in the segment
  std::uint64_t dropped = 0;  ///< bytes of the first line that came before and were thrown away, since it is too long
  std::vector<Line> lines;

  /// Fills `lines`; the last may lack its newline.
  void parse();
};

/// The record that a line or a piece of one is as a whole; `problem` where only its checksum holds.
std::optional<JournalRecord> whole_record(JournalParser& parser, std::string_view line, std::string& problem);

}  // namespace crossgrid
