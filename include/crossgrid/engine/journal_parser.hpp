#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "crossgrid/engine/journal_record.hpp"

namespace crossgrid {

/// What every line of a journal begins with.
inline constexpr std::string_view journal_line_start = "{\"crc\":\"";

/// Bytes that must be readable after a line handed to JournalParser; their value is of no matter.
std::size_t journal_padding();

/// Whether `line` (without newline) has a checksum that holds.
bool journal_checksum_holds(std::string_view line);

/// Turns lines whose checksum holds into records. Reuses its buffers; not for several threads.
class JournalParser {
 public:
  JournalParser();
  ~JournalParser();
  /// `line`: without newline, followed by journal_padding() readable bytes. Nothing where it is no record of this
  /// format; `problem` then says why. A header of a newer format comes back with `format` and `program` only.
  std::optional<JournalRecord> parse(std::string_view line, std::string& problem);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace crossgrid
