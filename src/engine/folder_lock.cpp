#include "crossgrid/engine/folder_lock.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "crossgrid/base/error.hpp"
#include "crossgrid/engine/shard.hpp"

namespace crossgrid {

namespace {

Error busy(const std::string& folder, const std::optional<OwnerRecord>& owner) {
  std::string who = "another run";
  if (owner) {
    who = fmt::format("process {} on host {}, since {} (last sign of life {})", owner->pid, owner->host, owner->started,
                      owner->heartbeat);
  }
  return Error(ExitCode::busy,
               fmt::format("{}: in use by {}; wait for it to end, or choose another folder with -o", folder, who));
}

/// Age in seconds; a heartbeat from the future (clocks that differ) is as old as it is ahead.
double age(const OwnerRecord& owner, const TimeSource& clock) {
  try {
    return static_cast<double>(std::llabs(clock.utc() - utc_from_text(owner.heartbeat)));
  } catch (const Error&) {
    return owner_lease_seconds;
  }
}

std::optional<OwnerRecord> owner_of(const FolderLock::Owners& owners, const std::string& name) {
  const auto found = owners.find(name);
  return found == owners.end() ? std::nullopt : std::optional(found->second);
}

std::string lock_path(const std::string& folder, const std::string& name) {
  return fmt::format("{}/journal{}{}.lock", folder, name.empty() ? "" : "-", name);
}

/// Whether two journals must not be written at the same time: an ordinary run is alone, and shards are of one number.
bool exclude_each_other(const std::string& a, const std::string& b) {
  if (a.empty() || b.empty()) return a != b;
  const std::optional<Shard> first = shard_from_name(a), second = shard_from_name(b);
  return first && second && first->count != second->count;
}

/// Names of the journals of which a lock or an owner is known.
std::set<std::string> known_names(FileSystem& files, const std::string& folder, const FolderLock::Owners& owners) {
  std::set<std::string> names;
  for (const auto& [name, owner] : owners) names.insert(name);
  std::vector<std::string> entries;
  constexpr std::string_view start = "journal", end = ".lock";
  if (!files.list(folder, entries).ok()) return names;
  for (const std::string& entry : entries) {
    if (!entry.starts_with(start) || !entry.ends_with(end)) continue;
    const std::string name = entry.substr(start.size(), entry.size() - start.size() - end.size());
    names.insert(name.starts_with('-') ? name.substr(1) : name);
  }
  return names;
}

/// Whether the last owner may still be at work although the kernel did not say so (`locked`: its lock was free).
bool may_live(const OwnerRecord& owner, const ProcessIdentity& self, bool locked, const TimeSource& clock) {
  if (owner.released) return false;
  if (owner.host == self.host) {
    // Here the kernel knows: the lock was free, or the machine was started since, or we can ask for the process.
    return !locked && owner.boot == self.boot && owner.pid != self.pid && self.alive(owner.pid);
  }
  return age(owner, clock) < owner_lease_seconds;
}

}  // namespace

ProcessIdentity this_process() {
  ProcessIdentity self;
  std::array<char, 256> name{};
  self.host = ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
  self.pid = ::getpid();
  std::ifstream("/proc/sys/kernel/random/boot_id") >> self.boot;
  self.alive = [](std::int64_t pid) {
    if (::kill(static_cast<pid_t>(pid), 0) != 0) return errno == EPERM;
    // "pid (name) state ...": one that nobody waited for is dead too.
    std::string stat;
    std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/stat"), stat);
    const std::size_t name_end = stat.rfind(')');
    return name_end == std::string::npos || stat.compare(name_end, 3, ") Z") != 0;
  };
  return self;
}

FolderLock::FolderLock(FileSystem& files, const TimeSource& clock, const std::string& folder,
                       const ProcessIdentity& self, const std::string& name, const std::function<Owners()>& last_owners)
    : clock_(clock), self_(self), started_(utc_text(clock.utc())) {
  const std::string path = lock_path(folder, name);
  const IoResult opened = open_file(files, path, OpenMode::append, file_);
  if (!opened.ok()) {
    throw Error(ExitCode::storage,
                fmt::format("{}: can't write to the output folder: {}", path, error_text(opened.error)));
  }
  const IoResult locked = lock_file(*file_);
  const Owners owners = last_owners();
  const std::optional<OwnerRecord> owner = owner_of(owners, name);
  if (locked.error == EAGAIN) throw busy(folder, owner);
  if (owner && may_live(*owner, self_, locked.ok(), clock_)) throw busy(folder, owner);
  for (const std::string& other : known_names(files, folder, owners)) {
    if (!exclude_each_other(name, other)) continue;
    std::unique_ptr<File> probe;  // let go again at once
    IoResult free = open_file(files, lock_path(folder, other), OpenMode::append, probe);
    if (free.ok()) free = lock_file(*probe);
    const std::optional<OwnerRecord> rival = owner_of(owners, other);
    if (free.error == EAGAIN || (rival && may_live(*rival, self_, free.ok(), clock_))) throw busy(folder, rival);
  }
}

OwnerRecord FolderLock::record(bool released) const {
  return {self_.host, self_.pid, self_.boot, started_, utc_text(clock_.utc()), released};
}

}  // namespace crossgrid
