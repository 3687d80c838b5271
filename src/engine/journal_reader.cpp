#include "crossgrid/engine/journal_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/version.hpp"
#include "crossgrid/engine/journal_parser.hpp"

namespace crossgrid {

namespace {

constexpr std::size_t block_bytes = 4 * journal_line_limit;

/// Walks through a segment; see read_segment().
class SegmentReader {
 public:
  SegmentReader(FileSystem& files, const std::string& path, const std::function<bool(JournalRecord&&)>& on_record,
                std::vector<JournalLoss>& losses)
      : path_(path),
        on_record_(on_record),
        losses_(losses),
        buffer_(std::make_unique_for_overwrite<char[]>(block_bytes + journal_padding())) {
    const IoResult opened = open_file(files, path, OpenMode::read, file_);
    if (!opened.ok()) throw input_error(path, "can't read it: " + error_text(opened.error));
  }

  JournalTail read() {
    while (go_on_ && fill()) take_lines();
    JournalTail tail;
    tail.size = base_ + held_;
    tail.good_end = base_ - dropped_;
    if (go_on_ && held_ > 0) tail.open_record = take_line({buffer_.get(), held_}, true);
    return tail;
  }

 private:
  /// Reads on; false at the end of the file.
  bool fill() {
    const IoResult got = read_all(*file_, buffer_.get() + held_, block_bytes - held_, base_ + held_);
    if (!got.ok()) throw input_error(path_, "can't read it: " + error_text(got.error));
    held_ += static_cast<std::size_t>(got.value);
    return got.value > 0;
  }

  void take_lines() {
    std::size_t start = 0;
    while (go_on_) {
      const void* newline = std::memchr(buffer_.get() + start, '\n', held_ - start);
      if (newline == nullptr) break;
      const auto end = static_cast<std::size_t>(static_cast<const char*>(newline) - buffer_.get());
      take_line({buffer_.get() + start, end - start}, false);
      start = end + 1;
      dropped_ = 0;
      ++line_;
    }
    drop(start);
    // A line that is longer than any record: only its end may still hold one.
    if (held_ > 2 * journal_line_limit) {
      const std::size_t excess = held_ - journal_line_limit;
      drop(excess);
      dropped_ += excess;
    }
  }

  /// Done with the first `bytes` of the buffer.
  void drop(std::size_t bytes) {
    std::memmove(buffer_.get(), buffer_.get() + bytes, held_ - bytes);
    base_ += bytes;
    held_ -= bytes;
  }

  /// Hands over what a line holds; whether that was any record.
  bool take_line(std::string_view line, bool at_end) {
    if (dropped_ == 0 && line.empty()) return false;
    std::string problem;
    if (dropped_ == 0 && take_record(line, problem)) return true;
    const std::size_t kept = problem.empty() ? salvage(line) : 0;
    lose(line, kept, problem, at_end);
    return kept > 0;
  }

  bool take_record(std::string_view line, std::string& problem) {
    if (line.size() >= journal_line_limit || !journal_checksum_holds(line)) return false;
    std::optional<JournalRecord> record = parser_.parse(line, problem);
    if (!record) {
      problem = "the checksum holds, but it is no record of this format: " + problem;
      return false;
    }
    if (const auto* header = std::get_if<JournalHeader>(&*record);
        header != nullptr && header->format > journal_format_version) {
      throw input_error(path_,
                        fmt::format("written in journal format {} (by crossgrid {}); this program, crossgrid {}, "
                                    "reads format {}: use a program at least as new",
                                    header->format, header->program, version_number(), journal_format_version));
    }
    go_on_ = on_record_(std::move(*record));
    return true;
  }

  /// Records within a damaged line: after a torn record, or where a newline was lost. The bytes they take.
  std::size_t salvage(std::string_view line) {
    std::size_t kept = 0;
    std::size_t begin = line.find(journal_line_start);
    while (go_on_ && begin != std::string_view::npos) {
      const std::size_t next = line.find(journal_line_start, begin + 1);
      std::string_view piece = line.substr(begin, next == std::string_view::npos ? next : next - begin);
      piece = piece.substr(0, piece.rfind('}') + 1);
      std::string problem;
      if (take_record(piece, problem)) kept += piece.size();
      begin = next;
    }
    return kept;
  }

  void lose(std::string_view line, std::size_t kept, const std::string& problem, bool at_end) {
    JournalLoss loss;
    loss.file = path_;
    loss.line = line_;
    loss.offset = base_ + static_cast<std::uint64_t>(line.data() - buffer_.get()) - dropped_;
    loss.bytes = dropped_ + line.size() - kept;
    loss.at_end = at_end;
    loss.reason = !problem.empty() ? problem : reason(line, at_end);
    if (kept > 0) loss.reason += "; the whole records in it were kept";
    losses_.push_back(std::move(loss));
  }

  std::string reason(std::string_view line, bool at_end) const {
    if (dropped_ > 0) return "a line longer than any record";
    if (std::all_of(line.begin(), line.end(), [](char c) { return c == 0; })) return "zeros";
    if (at_end) return "torn: the file ends within the line";
    if (line.starts_with(journal_line_start)) return "the checksum does not hold";
    return "not a journal line";
  }

  std::string path_;
  const std::function<bool(JournalRecord&&)>& on_record_;
  std::vector<JournalLoss>& losses_;
  std::unique_ptr<char[]> buffer_;
  std::unique_ptr<File> file_;
  JournalParser parser_;
  std::uint64_t base_ = 0;     ///< offset in the file of the buffer's first byte
  std::size_t held_ = 0;       ///< bytes in the buffer
  std::uint64_t dropped_ = 0;  ///< bytes of an overlong line that were thrown away
  std::uint64_t line_ = 1;
  bool go_on_ = true;
};

void take_record(JournalContent& content, const std::string& shard, JournalRecord&& record) {
  if (auto* unit = std::get_if<UnitRecord>(&record)) {
    ++content.unit_records;
    const auto owner = content.owners.find(shard);
    if (owner != content.owners.end() && unit->result.status == UnitStatus::done) {
      owner->second.images += unit->result.unit.count;
    }
    if (!content.headers.empty() && content.headers.back().physics_version != physics_version) {
      ++content.other_physics;
    } else {
      content.work.add(*unit);
    }
  } else if (auto* header = std::get_if<JournalHeader>(&record)) {
    content.headers.push_back(std::move(*header));
  } else if (auto* point = std::get_if<PointDefinition>(&record)) {
    content.defined.insert(point->id);
  } else if (auto* owner = std::get_if<OwnerRecord>(&record)) {
    content.owners[shard].take(std::move(*owner));
  } else if (auto* account = std::get_if<RunAccount>(&record)) {
    content.owners[shard].account = *account;
  } else {
    ++content.unknown_kinds;
  }
}

constexpr std::string_view segment_start = "journal-", segment_end = ".jsonl";
constexpr std::size_t segment_digits = 6;

bool is_segment_name(std::string_view name) {
  if (!name.starts_with(segment_start) || !name.ends_with(segment_end)) return false;
  name = name.substr(segment_start.size(), name.size() - segment_start.size() - segment_end.size());
  return name.size() >= segment_digits &&
         (name.size() == segment_digits || name[name.size() - segment_digits - 1] == '-') &&
         name.substr(name.size() - segment_digits).find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

std::string JournalLoss::text() const {
  return fmt::format("{}:{}: byte {}: {} bytes lost: {}", file, line, offset, bytes, reason);
}

void JournalOwner::take(OwnerRecord next) {
  if (record.started != next.started) *this = {};
  record = std::move(next);
}

JournalTail read_segment(FileSystem& files, const std::string& path,
                         const std::function<bool(JournalRecord&&)>& on_record, std::vector<JournalLoss>& losses) {
  return SegmentReader(files, path, on_record, losses).read();
}

std::vector<std::string> journal_segments(FileSystem& files, const std::string& folder) {
  std::vector<std::string> names;
  const IoResult listed = files.list(folder, names);
  if (!listed.ok()) throw input_error(folder, "can't read the folder: " + error_text(listed.error));
  std::vector<std::string> paths;
  for (const std::string& name : names) {
    if (is_segment_name(name)) paths.push_back(fmt::format("{}/{}", folder, name));
  }
  return paths;
}

std::string journal_shard(std::string_view segment) {
  std::string_view name = segment.substr(segment.rfind('/') + 1);
  name.remove_prefix(segment_start.size());
  name.remove_suffix(segment_end.size() + segment_digits);
  return std::string(name.substr(0, name.rfind('-')));
}

std::string journal_segment_name(const std::string& shard, std::uint32_t number) {
  return fmt::format("journal-{}{}{:06}.jsonl", shard, shard.empty() ? "" : "-", number);
}

JournalContent read_journal(FileSystem& files, const std::string& folder) {
  JournalContent content;
  for (const std::string& path : journal_segments(files, folder)) {
    const std::string shard = journal_shard(path);
    content.tails[path] = read_segment(
        files, path,
        [&](JournalRecord&& record) {
          take_record(content, shard, std::move(record));
          return true;
        },
        content.losses);
  }
  return content;
}

}  // namespace crossgrid
