#include "crossgrid/engine/folder_lock.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>

#include "crossgrid/base/error.hpp"

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
                       const ProcessIdentity& self, const std::function<std::optional<OwnerRecord>()>& last_owner)
    : clock_(clock), self_(self), started_(utc_text(clock.utc())) {
  const std::string path = folder + "/journal.lock";
  const IoResult opened = open_file(files, path, OpenMode::append, file_);
  if (!opened.ok()) {
    throw Error(ExitCode::storage,
                fmt::format("{}: can't write to the output folder: {}", path, error_text(opened.error)));
  }
  const IoResult locked = lock_file(*file_);
  const std::optional<OwnerRecord> owner = last_owner();
  if (locked.error == EAGAIN) throw busy(folder, owner);
  if (owner && may_live(*owner, self_, locked.ok(), clock_)) throw busy(folder, owner);
}

OwnerRecord FolderLock::record(bool released) const {
  return {self_.host, self_.pid, self_.boot, started_, utc_text(clock_.utc()), released};
}

}  // namespace crossgrid
