#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "crossgrid/app/sweep_state.hpp"
#include "crossgrid/base/clock.hpp"
#include "crossgrid/base/file.hpp"

/// DIR/status.json: how far the sweep was when somebody last counted, and which bytes of the journal that covers. Never
/// the truth: whoever finds it missing, damaged or of another sweep counts again. (docs/database.md, "The other files")
namespace crossgrid {

/// What the sweep's copy in an output folder is known by: the hash of its content.
Id128 sweep_copy_id(const Json& resolved);

/// Writes it for one output folder.
class StatusFile {
 public:
  /// `sweep`: sweep_copy_id() of what is counted. `own_shard`: the journal that only this process appends to, "" an
  /// ordinary run's; none where it only reads.
  StatusFile(FileSystem& files, const TimeSource& clock, std::string folder, Id128 sweep,
             std::optional<std::string> own_shard);

  /// Keeps `state`, counted from `journal`, whose records are all durable. A failure is no matter: the old file then is
  /// there, or none.
  void write(const SweepState& state, const JournalContent& journal);

 private:
  FileSystem& files_;
  const TimeSource& clock_;
  std::string folder_;
  Id128 sweep_;
  std::optional<std::string> own_shard_;
};

/// What the file tells, with the last owners that the journals tell.
struct KnownState {
  SweepState state;
  std::int64_t counted_at = 0;      ///< UTC
  std::uint64_t journal_bytes = 0;  ///< of all journals
  std::uint64_t bytes_since = 0;    ///< of these, those that it does not cover
  bool exact = false;               ///< no unit was recorded since, and nothing that has to be looked at
};

/// Nothing where there is no such file, or it can't be used. Reads no more of the journals than their ends.
std::optional<KnownState> read_status_file(FileSystem& files, const std::string& folder);

/// Whether to show a state that is not exact: counting would take long, and it is of most of what there is. (A shard's
/// file is of the other shards as they were when it began.)
bool worth_showing(const KnownState& known);

/// Bytes of all journals in a folder.
std::uint64_t journal_bytes(FileSystem& files, const std::string& folder);

}  // namespace crossgrid
