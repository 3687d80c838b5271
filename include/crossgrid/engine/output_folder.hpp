#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crossgrid/engine/database.hpp"
#include "crossgrid/engine/folder_lock.hpp"
#include "crossgrid/engine/journal_reader.hpp"
#include "crossgrid/engine/journal_writer.hpp"

namespace crossgrid {

/// What `run` asks of an output folder.
struct OutputRequest {
  std::string path;
  JournalHeader header;  ///< of this run: its time, format and physics_version are filled in
  PointTable points;     ///< of this run's grid
  /// Those of them that the database holds, as records decide; empty: all.
  std::function<PointTable(const RecordedWork&)> chosen = {};
  std::function<Json(std::uint64_t)> parameters_of;  ///< Grid::resolved
  DatabaseRequest database;
  bool extend = false;  ///< go on although seed, data or network differ, or no point is shared
  JournalWriterOptions journal;
};

/// What was found in an output folder.
struct OutputFindings {
  bool existed = false;             ///< there was a journal
  std::uint64_t points_done = 0;    ///< of this grid
  std::uint64_t points_failed = 0;  ///< nothing left to do but to retry
  std::uint64_t points_begun = 0;   ///< with some records, not done
  std::uint64_t points_new = 0;
  std::uint64_t points_elsewhere = 0;  ///< in the journal but not in this grid: kept, not in the database
  std::vector<std::string> notes;      ///< lost lines, repairs, duplicates: one line each, for the user
};

/// An output folder held by this run: its lock, its journal, what is done, its database.
class OutputFolder {
 public:
  /// Creates the folder or continues the one that is there. Error(busy): another run has it. Error(conflict): it holds
  /// another sweep's results (the message says what differs). Error(storage): it can't be written.
  OutputFolder(FileSystem& files, const TimeSource& clock, const ProcessIdentity& self, OutputRequest request);
  ~OutputFolder();
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

  const OutputFindings& findings() const { return findings_; }
  /// Everything recorded so far, this run's results included.
  const RecordedWork& work() const { return content_.work; }
  /// What the journals say: this run's as it is, those of other shards as they were when it began. Headers, definitions
  /// and tails are those that were found.
  const JournalContent& content() const { return content_; }
  /// Numeric class of the first run: later ones pin themselves to it. Nothing in a new folder.
  std::optional<std::string> numeric_class() const;

  /// Journals what this run is expected to take; from now on its account is kept beside its heartbeats. After disk_full
  /// it is not there, and nothing is lost but that.
  void expect(const RunAccount::Predicted& predicted);
  /// Journals results (units name points by grid index). After disk_full nothing of them is in the journal.
  AppendOutcome append(std::span<const UnitResult> results, std::string_view host);
  double seconds_to_sync() const { return writer_->seconds_to_sync(); }
  /// To be called often: syncs when due and writes the owner's heartbeat when due.
  void tick();
  /// Makes all results durable.
  void sync();
  std::uint64_t appended() const { return writer_->appended(); }
  std::uint64_t durable() const { return writer_->durable(); }

  DatabaseCounts counts() const;
  /// Writes the database from what is recorded.
  DatabaseCounts write_database();
  /// Syncs and gives the folder back. The destructor only lets go of the lock.
  void close();

 private:
  PointTable chosen_points() const { return request_.chosen ? request_.chosen(content_.work) : request_.points; }
  void forget_lines_in_work();
  void find_points();
  void check_identity() const;
  void tell_state();
  AppendOutcome keep_owner(bool released = false);
  void keep_account();
  JournalOwner& owner() { return content_.owners[request_.journal.shard]; }

  FileSystem& files_;
  const TimeSource& clock_;
  OutputRequest request_;
  OutputFindings findings_;
  JournalContent content_;
  std::optional<FolderLock> lock_;
  std::unique_ptr<JournalWriter> writer_;
  double heartbeat_at_ = 0;
  double began_ = 0;
  std::optional<RunAccount> account_;
};

/// Numeric class of the first run in a folder, without opening it for writing; nothing where there is no journal.
std::optional<std::string> recorded_numeric_class(FileSystem& files, const std::string& folder);

}  // namespace crossgrid
