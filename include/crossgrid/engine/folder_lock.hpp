#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "crossgrid/base/clock.hpp"
#include "crossgrid/base/file.hpp"
#include "crossgrid/engine/journal_record.hpp"

namespace crossgrid {

/// Seconds between two heartbeats of an owner, and how long one is believed.
inline constexpr double owner_heartbeat_seconds = 15;
inline constexpr double owner_lease_seconds = 60;

/// This process, as its owner records name it.
struct ProcessIdentity {
  std::string host;
  std::int64_t pid = 0;
  std::string boot;
  /// Whether a process of this host lives; asked only where the file system has no locks.
  std::function<bool(std::int64_t pid)> alive;
};
ProcessIdentity this_process();

/// Name of the lock that `gather` takes: one at a time, beside shards at work.
inline constexpr const char* gather_lock_name = "gather";

/// One run per journal, and either one ordinary run or shards of one number per output folder. The kernel's lock on
/// DIR/journal.lock (journal-SHARD.lock) decides where it works (it is freed when the owner dies, so there are no stale
/// locks); some network file systems have none, or do not share it between hosts, so a fresh heartbeat in a journal's
/// last owner record refuses too.
class FolderLock {
 public:
  /// The last owner of each journal, by SHARD ("" is an ordinary run's).
  using Owners = std::map<std::string, OwnerRecord>;

  /// Takes the lock of the journal `name`; Error(busy) with folder, host, pid and since when where another run has it.
  /// `last_owners` is asked once it is taken. Runs that may start at the same time hold a StartLock.
  FolderLock(FileSystem& files, const TimeSource& clock, const std::string& folder, const ProcessIdentity& self,
             const std::string& name, const std::function<Owners()>& last_owners);

  /// The record to write now: at the start, every owner_heartbeat_seconds, and with `released` at the end.
  OwnerRecord record(bool released = false) const;

 private:
  const TimeSource& clock_;
  ProcessIdentity self_;
  std::string started_;
  std::unique_ptr<File> file_;
};

}  // namespace crossgrid
