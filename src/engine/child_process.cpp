#include "crossgrid/engine/child_process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>

#include "crossgrid/engine/descriptor_passing.hpp"

namespace crossgrid {
namespace {

constexpr std::size_t kept_lines = 50;
constexpr std::size_t longest_line = 1000;
constexpr int child_socket = 3;  // the executor's descriptor
constexpr int first_unused_in_child = 4;

[[noreturn]] void throw_errno(int error, const char* what) {
  throw std::system_error(error, std::generic_category(), what);
}

/// A descriptor that is closed at the end of the scope.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }
  /// Out of the way of the numbers that the child gives its own descriptors.
  void move_up() {
    const int higher = ::fcntl(number_, F_DUPFD_CLOEXEC, 10);
    if (higher < 0) throw_errno(errno, "fcntl");
    ::close(std::exchange(number_, higher));
  }
  void set(int number) { number_ = number; }

 private:
  int number_;
};

/// All ends of what parent and child share.
struct Plumbing {
  Descriptor socket, child_socket, log, child_log, mark;

  Plumbing() {
    std::array<int, 2> pair{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) throw_errno(errno, "socketpair");
    socket.set(pair[0]);
    child_socket.set(pair[1]);
    if (::pipe2(pair.data(), O_CLOEXEC) != 0) throw_errno(errno, "pipe");
    log.set(pair[0]);
    child_log.set(pair[1]);
    if (::fcntl(log.get(), F_SETFL, O_NONBLOCK) != 0) throw_errno(errno, "fcntl");
    mark.set(::memfd_create("crossgrid-executor-mark", MFD_CLOEXEC));
    if (mark.get() < 0) throw_errno(errno, "memfd_create");
    if (::ftruncate(mark.get(), sizeof(ExecutorMark)) != 0) throw_errno(errno, "ftruncate");
    // Not inherited: the first message that the executor gets.
    if (!send_descriptor(socket.get(), mark.get())) throw_errno(errno, "sendmsg");
    for (Descriptor* end : {&child_socket, &child_log}) end->move_up();
  }

  ExecutorMark* map_mark() const {
    void* memory = ::mmap(nullptr, sizeof(ExecutorMark), PROT_READ | PROT_WRITE, MAP_SHARED, mark.get(), 0);
    if (memory == MAP_FAILED) throw_errno(errno, "mmap");
    return new (memory) ExecutorMark;
  }
};

class FileActions {
 public:
  explicit FileActions(const Plumbing& plumbing) {
    check(::posix_spawn_file_actions_init(&actions_));
    check(::posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0));
    check(::posix_spawn_file_actions_adddup2(&actions_, plumbing.child_log.get(), 1));
    check(::posix_spawn_file_actions_adddup2(&actions_, plumbing.child_log.get(), 2));
    check(::posix_spawn_file_actions_adddup2(&actions_, plumbing.child_socket.get(), child_socket));
    // Libraries of the parent may hold descriptors without CLOEXEC.
    check(::posix_spawn_file_actions_addclosefrom_np(&actions_, first_unused_in_child));
  }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  static void check(int error) {
    if (error != 0) throw_errno(error, "posix_spawn_file_actions");
  }
  posix_spawn_file_actions_t actions_{};
};

/// Own process group, no blocked and no ignored signals: both would survive the exec.
class Attributes {
 public:
  Attributes() {
    ::posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

/// The environment without what makes a process a rank of an MPI job.
std::vector<std::string> executor_environment(const std::vector<std::string>& additions) {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const bool rank = text.starts_with("OMPI_") || text.starts_with("PMIX_") || text.starts_with("PMI_");
    if (!rank) entries.emplace_back(text);
  }
  entries.insert(entries.end(), additions.begin(), additions.end());
  return entries;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

std::string end_text(int status) {
  if (status < 0) return "ended in an unknown way";
  if (WIFEXITED(status)) return "exited with code " + std::to_string(WEXITSTATUS(status));
  const int signal = WTERMSIG(status);
  const char* name = ::sigabbrev_np(signal);
  return "killed by signal " + std::to_string(signal) + (name != nullptr ? " (SIG" + std::string(name) + ")" : "");
}

}  // namespace

void LastLines::add(const char* text, std::size_t size) {
  for (const char character : std::string_view(text, size)) {
    if (character == '\n') {
      lines_.emplace_back();
      if (lines_.size() > kept_lines + 1) lines_.pop_front();
    } else if (lines_.back().size() < longest_line) {
      lines_.back() += character;
    }
  }
}

std::string LastLines::text() const {
  std::string text;
  const std::size_t ended = lines_.back().empty() ? lines_.size() - 1 : lines_.size();
  for (std::size_t i = ended > kept_lines ? ended - kept_lines : 0; i < ended; ++i) {
    if (!text.empty()) text += '\n';
    text += lines_[i];
  }
  return text;
}

std::unique_ptr<ChildProcess> ChildProcess::start(const std::vector<std::string>& command,
                                                  const std::vector<std::string>& environment) {
  Plumbing plumbing;
  const FileActions actions(plumbing);
  const Attributes attributes;
  std::vector<std::string> arguments = command;
  for (const std::string& argument :
       {std::string("--fd"), std::to_string(child_socket), std::string("--parent"), std::to_string(::getpid())}) {
    arguments.push_back(argument);
  }
  std::vector<std::string> entries = executor_environment(environment);
  ExecutorMark* mark = plumbing.map_mark();
  pid_t id = -1;
  const int error = ::posix_spawn(&id, command.at(0).c_str(), actions.get(), attributes.get(),
                                  pointers(arguments).data(), pointers(entries).data());
  if (error != 0) {
    ::munmap(mark, sizeof(ExecutorMark));
    throw_errno(error, command.at(0).c_str());
  }
  return std::unique_ptr<ChildProcess>(new ChildProcess(plumbing.socket.release(), plumbing.log.release(), mark, id));
}

ChildProcess::ChildProcess(int socket, int log, ExecutorMark* mark, pid_t id)
    : channel_(socket), log_(log), mark_(mark), id_(id) {}

ChildProcess::~ChildProcess() {
  if (id_ > 0) {
    kill();
    int status = 0;
    while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) {
    }
  }
  if (log_ >= 0) ::close(log_);
  ::munmap(mark_, sizeof(ExecutorMark));
}

void ChildProcess::kill() {
  if (id_ > 0) ::kill(-id_, SIGKILL);
}

bool ChildProcess::has_exited() const {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(id_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == id_;
}

/// How it ended, as waitpid(2) says it; -1 where that is not known. Its process group goes with it: its id is free for
/// others once it is reaped.
int ChildProcess::reap() {
  kill();
  int status = 0;
  pid_t reaped = -1;
  do {
    reaped = ::waitpid(id_, &status, 0);
  } while (reaped < 0 && errno == EINTR);
  id_ = -1;
  return reaped < 0 ? -1 : status;
}

std::vector<ExecutorEvent> ChildProcess::look() {
  std::vector<ExecutorEvent> events;
  if (id_ < 0) return events;
  channel_.flush();
  // In this order: whatever it sent before its end is read before its end is told.
  const bool exited = has_exited();
  read_messages(events);
  read_log();
  const UnitId started = mark_->started.load(std::memory_order_acquire);
  if (exited) {
    const int status = reap();
    const int signal = status >= 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    events.emplace_back(ExecutorDied{started, end_text(status), last_lines_.text(), signal});
  } else {
    events.emplace_back(ExecutorPulse{started, mark_->heartbeats.load(std::memory_order_relaxed)});
  }
  return events;
}

void ChildProcess::read_messages(std::vector<ExecutorEvent>& events) {
  std::string bytes;
  SocketChannel::Reading reading;
  while ((reading = channel_.receive(bytes, false)) == SocketChannel::Reading::message) {
    events.emplace_back(ExecutorSaid{decode_message(bytes)});
  }
  if (reading == SocketChannel::Reading::closed && channel_.descriptor() >= 0) {
    // It is ending, or it never will be of use again. SIGKILL does not change how an ending process ended.
    kill();
    channel_.close();
  }
}

void ChildProcess::read_log() {
  std::array<char, 4096> buffer;
  ssize_t size = 0;
  while (log_ >= 0 && (size = ::read(log_, buffer.data(), buffer.size())) > 0) {
    last_lines_.add(buffer.data(), static_cast<std::size_t>(size));
  }
  if (size == 0 && log_ >= 0) ::close(std::exchange(log_, -1));  // the child has closed its outputs
}

void ChildProcess::add_descriptors(std::vector<pollfd>& descriptors) const {
  if (id_ < 0) return;
  if (channel_.descriptor() >= 0) {
    const auto events = static_cast<short>(channel_.has_queued() ? POLLIN | POLLOUT : POLLIN);
    descriptors.push_back({channel_.descriptor(), events, 0});
    if (log_ >= 0) descriptors.push_back({log_, POLLIN, 0});
  }
}

}  // namespace crossgrid
