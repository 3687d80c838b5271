#include "journal_block.hpp"

#include <cstring>

namespace crossgrid {

namespace {

constexpr std::size_t usual_line_bytes = 256;

}  // namespace

std::optional<JournalRecord> whole_record(JournalParser& parser, std::string_view line, std::string& problem) {
  if (line.size() >= journal_line_limit || !journal_checksum_holds(line)) return std::nullopt;
  std::optional<JournalRecord> record = parser.parse(line, problem);
  if (!record) problem = "the checksum holds, but it is no record of this format: " + problem;
  return record;
}

void JournalBlock::parse() {
  JournalParser parser;
  lines.clear();
  lines.reserve(size / usual_line_bytes + 1);
  for (std::size_t start = 0; start < size;) {
    const void* newline = std::memchr(bytes.get() + start, '\n', size - start);
    const std::size_t end =
        newline == nullptr ? size : static_cast<std::size_t>(static_cast<const char*>(newline) - bytes.get());
    Line& line = lines.emplace_back();
    line.text = {bytes.get() + start, end - start};
    const bool begun_before = start == 0 && dropped > 0;
    if (!begun_before) line.record = whole_record(parser, line.text, line.problem);
    start = end + 1;
  }
}

}  // namespace crossgrid
