#include "crossgrid/engine/journal_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <future>
#include <memory>
#include <optional>
#include <utility>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/version.hpp"
#include "crossgrid/engine/journal_parser.hpp"
#include "crossgrid/engine/run_engine.hpp"
#include "journal_block.hpp"

namespace crossgrid {

namespace {

/// Room for a block: the rest of the one before, which may be a long line, and what is read.
constexpr std::size_t block_bytes = 3 * journal_line_limit;
/// Read at once: little at first, for whoever asks for the first record only, then what stays in a core's cache with
/// the records in it.
constexpr std::size_t first_bytes = std::size_t{64} << 10, most_bytes = std::size_t{512} << 10;
/// Taking records in is left to one thread, which more than this would only wait for.
constexpr std::size_t most_threads = 8;

/// Walks through a segment; see read_segment(). Blocks are read and taken in by one thread, in order; what takes long,
/// checksums and parsing, is done ahead of that on others.
class SegmentReader {
 public:
  SegmentReader(FileSystem& files, const std::string& path, const std::function<bool(JournalRecord&&)>& on_record,
                std::vector<JournalLoss>& losses)
      : path_(path),
        on_record_(on_record),
        losses_(losses),
        threads_(std::clamp<std::size_t>(static_cast<std::size_t>(std::max(cores_in_mask(), 1)), 1, most_threads)) {
    const IoResult opened = open_file(files, path, OpenMode::read, file_);
    if (!opened.ok()) throw input_error(path, "can't read it: " + error_text(opened.error));
  }

  JournalTail read() {
    bool more = true;
    for (std::size_t most_ahead = 1; go_on_ && (more || !ahead_.empty()); ++most_ahead) {
      while (more && ahead_.size() < std::min(most_ahead, threads_)) more = read_block();
      if (ahead_.empty()) continue;
      take(ahead_.front().get());
      ahead_.pop_front();
    }
    JournalTail tail;
    tail.size = offset_;
    tail.good_end = offset_ - rest_.size() - dropped_;
    if (go_on_ && !rest_.empty()) tail.open_record = take_rest();
    return tail;
  }

 private:
  /// Reads on and hands the lines that have ended to another thread; false at the end of the file.
  bool read_block() {
    JournalBlock block = empty_block();
    std::copy(rest_.begin(), rest_.end(), block.bytes.get());
    const std::size_t wanted = std::min(next_bytes_, block_bytes - rest_.size());
    next_bytes_ = std::min(2 * next_bytes_, most_bytes);
    const IoResult got = read_all(*file_, block.bytes.get() + rest_.size(), wanted, offset_);
    if (!got.ok()) throw input_error(path_, "can't read it: " + error_text(got.error));
    block.offset = offset_ - rest_.size();
    block.dropped = dropped_;
    const auto arrived = static_cast<std::size_t>(got.value);
    const std::string_view all(block.bytes.get(), rest_.size() + arrived);
    offset_ += arrived;
    block.size = all.rfind('\n') + 1;  // 0 where no line ends
    rest_ = all.substr(block.size);
    if (block.size > 0) {
      dropped_ = 0;
      // A short journal is not worth a thread.
      const bool alone = block.offset == 0 && arrived < wanted;
      ahead_.push_back(
          std::async(alone ? std::launch::deferred : std::launch::async, [block = std::move(block)]() mutable {
            block.parse();
            return std::move(block);
          }));
    }
    // A line that is longer than any record: only its end may still hold one.
    if (rest_.size() > 2 * journal_line_limit) {
      const std::size_t excess = rest_.size() - journal_line_limit;
      rest_.erase(0, excess);
      dropped_ += excess;
    }
    return arrived == wanted;
  }

  /// With room for a block: that of one which was taken in, where there is any.
  JournalBlock empty_block() {
    if (spare_.empty()) {
      spare_.emplace_back().bytes = std::make_unique_for_overwrite<char[]>(block_bytes + journal_padding());
    }
    JournalBlock block = std::move(spare_.back());
    spare_.pop_back();
    return block;
  }

  void take(JournalBlock&& block) {
    for (JournalBlock::Line& line : block.lines) {
      if (!go_on_) return;
      take_line(block, line, false);
      block.dropped = 0;
      ++line_;
    }
    spare_.push_back(std::move(block));
  }

  /// The last line, which has no end.
  bool take_rest() {
    JournalBlock block;
    block.size = rest_.size();
    block.bytes = std::make_unique_for_overwrite<char[]>(block.size + journal_padding());
    std::copy(rest_.begin(), rest_.end(), block.bytes.get());
    block.offset = offset_ - block.size;
    block.dropped = dropped_;
    block.parse();
    return take_line(block, block.lines.front(), true);
  }

  /// Hands over what the first line that is left of a block holds; whether that was any record.
  bool take_line(const JournalBlock& block, JournalBlock::Line& line, bool at_end) {
    if (line.record) {
      hand_over(std::move(*line.record));
      return true;
    }
    if (block.dropped == 0 && line.text.empty()) return false;
    const std::size_t kept = line.problem.empty() ? salvage(line.text) : 0;
    lose(block, line, kept, at_end);
    return kept > 0;
  }

  void hand_over(JournalRecord&& record) {
    if (const auto* header = std::get_if<JournalHeader>(&record);
        header != nullptr && header->format > journal_format_version) {
      throw input_error(path_,
                        fmt::format("written in journal format {} (by crossgrid {}); this program, crossgrid {}, "
                                    "reads format {}: use a program at least as new",
                                    header->format, header->program, version_number(), journal_format_version));
    }
    go_on_ = on_record_(std::move(record));
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
      if (std::optional<JournalRecord> record = whole_record(parser_, piece, problem)) {
        hand_over(std::move(*record));
        kept += piece.size();
      }
      begin = next;
    }
    return kept;
  }

  void lose(const JournalBlock& block, const JournalBlock::Line& line, std::size_t kept, bool at_end) {
    JournalLoss loss;
    loss.file = path_;
    loss.line = line_;
    loss.offset = block.offset + static_cast<std::uint64_t>(line.text.data() - block.bytes.get()) - block.dropped;
    loss.bytes = block.dropped + line.text.size() - kept;
    loss.at_end = at_end;
    loss.reason = !line.problem.empty() ? line.problem : reason(line.text, block.dropped, at_end);
    if (kept > 0) loss.reason += "; the whole records in it were kept";
    losses_.push_back(std::move(loss));
  }

  static std::string reason(std::string_view line, std::uint64_t dropped, bool at_end) {
    if (dropped > 0) return "a line longer than any record";
    if (std::all_of(line.begin(), line.end(), [](char c) { return c == 0; })) return "zeros";
    if (at_end) return "torn: the file ends within the line";
    if (line.starts_with(journal_line_start)) return "the checksum does not hold";
    return "not a journal line";
  }

  std::string path_;
  const std::function<bool(JournalRecord&&)>& on_record_;
  std::vector<JournalLoss>& losses_;
  std::size_t threads_;
  std::unique_ptr<File> file_;
  std::deque<std::future<JournalBlock>> ahead_;
  std::vector<JournalBlock> spare_;
  std::size_t next_bytes_ = first_bytes;
  std::uint64_t offset_ = 0;   ///< up to which the file is read
  std::string rest_;           ///< of what is read: after the last newline
  std::uint64_t dropped_ = 0;  ///< bytes of an overlong line before it that were thrown away
  JournalParser parser_;       ///< of what is salvaged
  std::uint64_t line_ = 1;
  bool go_on_ = true;
};

/// Points are defined by the million: taking them in together lets the processor fetch ahead.
IdSet set_of(const std::vector<Id128>& ids) {
  constexpr std::size_t ahead = 16;
  IdSet set(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i + ahead < ids.size()) set.prefetch(ids[i + ahead]);
    set.insert(ids[i]);
  }
  return set;
}

void take_record(JournalContent& content, std::vector<Id128>& defined, const std::string& shard,
                 JournalRecord&& record) {
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
    defined.push_back(point->id);
    content.work.prefetch(point->id);
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
  std::vector<Id128> defined;
  for (const std::string& path : journal_segments(files, folder)) {
    const std::string shard = journal_shard(path);
    content.tails[path] = read_segment(
        files, path,
        [&](JournalRecord&& record) {
          take_record(content, defined, shard, std::move(record));
          return true;
        },
        content.losses);
  }
  content.defined = set_of(defined);
  return content;
}

}  // namespace crossgrid
