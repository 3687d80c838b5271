#pragma once

#include <poll.h>
#include <sys/types.h>

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "crossgrid/engine/socket_channel.hpp"
#include "crossgrid/engine/worker.hpp"

namespace crossgrid {

/// Memory that worker and executor share: it outlives the executor's death and costs no system call.
struct ExecutorMark {
  std::atomic<std::uint64_t> started{no_unit};  ///< the unit being worked on, until its result is sent
  std::atomic<std::uint64_t> heartbeats{0};     ///< counts signs of life and started units
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

/// The last lines of a text that comes in pieces of any size.
class LastLines {
 public:
  void add(const char* text, std::size_t size);
  std::string text() const;

 private:
  std::deque<std::string> lines_{std::string()};  ///< the last one is not ended yet
};

/// An executor process, from its start until it is reaped. Must be made in the main thread, which must outlive it: the
/// kernel kills the executor when the thread that made it ends. Destruction kills and reaps.
class ChildProcess {
 public:
  /// Starts `command` (a path and arguments) with "--fd N --parent PID" added. `environment`: "NAME=value" entries that
  /// are added. Throws std::system_error.
  static std::unique_ptr<ChildProcess> start(const std::vector<std::string>& command,
                                             const std::vector<std::string>& environment);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  void tell(const Message& message) { channel_.post(encode_message(message)); }
  /// SIGKILL to the whole process group: a stopped process answers to nothing else.
  void kill();
  /// Lets it end by itself.
  void close_channel() { channel_.close(); }
  /// What has become known since the last look; never waits. After ExecutorDied nothing more comes.
  std::vector<ExecutorEvent> look();
  /// What to wait for.
  void add_descriptors(std::vector<pollfd>& descriptors) const;
  pid_t id() const { return id_; }

 private:
  ChildProcess(int socket, int log, ExecutorMark* mark, pid_t id);
  void read_log();
  void read_messages(std::vector<ExecutorEvent>& events);
  int reap();
  bool has_exited() const;

  SocketChannel channel_;
  int log_;
  ExecutorMark* mark_;
  pid_t id_;  ///< -1 when reaped
  LastLines last_lines_;
};

}  // namespace crossgrid
