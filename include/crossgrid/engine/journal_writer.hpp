#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crossgrid/base/clock.hpp"
#include "crossgrid/base/file.hpp"
#include "crossgrid/engine/journal_reader.hpp"
#include "crossgrid/engine/journal_record.hpp"

namespace crossgrid {

struct JournalWriterOptions {
  std::uint64_t segment_bytes = std::uint64_t{256} << 20;
  double sync_seconds = 0.05;  ///< group commit: one fdatasync for all records of this time
  std::string shard;           ///< empty, or [A-Za-z0-9_]{1,32}: a journal of its own beside others in the folder
};

enum class AppendOutcome {
  written,
  disk_full  ///< nothing of the batch is in the journal; the same call may be made again when there is room
};

/// Appends to a journal: one write(2) per batch, one fdatasync per group of batches. A record counts as kept (and a
/// unit as done) when sync() has returned after it. Not for several threads.
class JournalWriter {
 public:
  /// Opens the last segment (or makes the first) and mends its torn tail. The header is written with the first record.
  /// `content` is what read_journal() said. Error(storage) where the folder can't be written.
  JournalWriter(FileSystem& files, const TimeSource& clock, const std::string& folder, JournalHeader header,
                const JournalContent& content, JournalWriterOptions options = {});

  struct Entry {
    Id128 point;  ///< id of result->unit.point
    const UnitResult* result = nullptr;
  };
  /// Adds records of units, their points' definitions before them where the journal has none yet; `parameters_of` is
  /// asked by grid index. Error(storage) on any failure but a full disk; the writer is then of no more use.
  AppendOutcome append(std::span<const Entry> entries, std::string_view host,
                       const std::function<Json(std::uint64_t point)>& parameters_of);
  AppendOutcome append(const OwnerRecord& owner);
  AppendOutcome append(const RunAccount& account);

  /// Seconds from now until the next sync is due; negative: overdue; infinite: nothing to sync.
  double seconds_to_sync() const;
  bool sync_due() const { return seconds_to_sync() <= 0; }
  /// fdatasync of all that was appended; Error(storage) where it fails, which is final.
  void sync();

  std::uint64_t appended() const { return appended_; }  ///< unit records handed to the system
  std::uint64_t durable() const { return durable_; }    ///< unit records synced
  /// What was mended when the journal was opened, one line, or empty.
  const std::string& repair() const { return repair_; }

 private:
  void open_segment();
  void mend_tail(const JournalTail& tail);
  void begin_batch();
  void define(const Id128& point, Json parameters);
  AppendOutcome put_batch();
  [[noreturn]] void fail(const std::string& what, int error);

  FileSystem& files_;
  const TimeSource& clock_;
  std::string folder_;
  JournalHeader header_;
  JournalWriterOptions options_;
  IdSet defined_;
  /// A point that this writer defined in whole in its segment, for those after it.
  struct Base {
    Id128 point;
    Json parameters;
    int uses = 0;
  };
  std::optional<Base> base_;
  std::unique_ptr<File> file_;
  std::string path_;
  std::uint32_t number_ = 1;  ///< of the segment
  bool header_due_ = true;
  std::uint64_t size_ = 0;
  std::uint64_t appended_ = 0;
  std::uint64_t durable_ = 0;
  double unsynced_since_ = -1;  ///< monotonic time of the oldest record not synced; negative: none
  std::string repair_;
  std::string failure_;  ///< the first failure; repeated by every later call
  std::string batch_;
};

}  // namespace crossgrid
