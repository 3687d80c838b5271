#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crossgrid/base/file.hpp"
#include "crossgrid/engine/journal_record.hpp"
#include "crossgrid/engine/recorded_work.hpp"

namespace crossgrid {

/// Bytes of a journal that hold no record.
struct JournalLoss {
  std::string file;
  std::uint64_t line = 0;    ///< counted from 1
  std::uint64_t offset = 0;  ///< of the line's first byte
  std::uint64_t bytes = 0;
  std::string reason;
  bool at_end = false;  ///< the file's last line, without newline: torn by a crash, or being written right now

  /// "results/adc/journal-000001.jsonl:17: byte 2310: 8192 bytes lost: zeros".
  std::string text() const;
};

/// How a segment ends; not known where reading was stopped early.
struct JournalTail {
  std::uint64_t size = 0;      ///< of the file
  std::uint64_t good_end = 0;  ///< just after the last newline
  bool open_record = false;    ///< whole records follow good_end, only a newline is missing
};

/// Reads one segment line by line: goes on after bad bytes anywhere, so that exactly the records whose checksum holds
/// are handed to `on_record`, which says whether to go on. Error(bad_input): unreadable file, or a header of a newer
/// format.
JournalTail read_segment(FileSystem& files, const std::string& path,
                         const std::function<bool(JournalRecord&&)>& on_record, std::vector<JournalLoss>& losses);

/// Segments of all journals in a folder, sorted: "journal-000001.jsonl", or "journal-SHARD-000001.jsonl" where several
/// jobs write into one folder.
std::vector<std::string> journal_segments(FileSystem& files, const std::string& folder);
/// The SHARD of a segment's path or name; empty for an ordinary run's.
std::string journal_shard(std::string_view segment);
/// Name of a segment; `shard` may be empty.
std::string journal_segment_name(const std::string& shard, std::uint32_t number);

/// Who wrote a journal last, and what came of it.
struct JournalOwner {
  OwnerRecord record;
  std::uint64_t images = 0;           ///< of the done units since it began
  std::optional<RunAccount> account;  ///< its last one; none where an older program wrote

  /// Its next record: of the same run, or of one that began since.
  void take(OwnerRecord next);
};

/// Everything that a folder's journals say.
struct JournalContent {
  std::vector<JournalHeader> headers;          ///< in order of reading
  std::map<std::string, JournalOwner> owners;  ///< the last one of each journal, by SHARD
  IdSet defined;                               ///< points with a definition line
  RecordedWork work;                           ///< records of the current physics version
  std::uint64_t unit_records = 0;              ///< all unit lines, repeated ones and other physics versions included
  std::uint64_t other_physics = 0;             ///< unit lines of another physics version: never used
  std::uint64_t unknown_kinds = 0;
  std::vector<JournalLoss> losses;
  std::map<std::string, JournalTail> tails;  ///< by the segment's path
};

JournalContent read_journal(FileSystem& files, const std::string& folder);

}  // namespace crossgrid
