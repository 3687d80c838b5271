#include "crossgrid/engine/executor_process.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <memory>

#include "crossgrid/engine/child_process.hpp"
#include "crossgrid/engine/descriptor_passing.hpp"
#include "crossgrid/engine/failpoint.hpp"
#include "crossgrid/engine/socket_channel.hpp"

namespace crossgrid {
namespace {

constexpr std::size_t group_size = 64;          // outcomes in a message at most
constexpr double group_seconds = 0.02;          // an outcome waits at most so long for others
constexpr double tiny_unit_seconds = 0.002;     // a longer unit's outcome does not wait
constexpr double socket_check_seconds = 0.001;  // between looks for a recall while tiny units run

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// The executor must not outlive its worker, and should be the one that the kernel takes when memory runs out.
void tie_to_parent(int parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) std::_Exit(1);  // the parent ended before the line above
  if (std::FILE* file = std::fopen("/proc/self/oom_score_adj", "w")) {
    std::fputs("500", file);
    std::fclose(file);
  }
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // its last lines are worth most when it crashes
}

/// The memory that comes first over the socket.
ExecutorMark* receive_mark(int socket) {
  const int descriptor = receive_descriptor(socket);
  void* memory = ::mmap(nullptr, sizeof(ExecutorMark), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (descriptor >= 0) ::close(descriptor);
  if (memory == MAP_FAILED)
    throw Error(ExitCode::internal, "executor: no shared memory came over descriptor " + std::to_string(socket));
  return static_cast<ExecutorMark*>(memory);
}

/// Takes tasks from the socket, runs them in order, sends what came of them.
class ExecutorLoop {
 public:
  ExecutorLoop(SocketChannel& channel, ExecutorMark& mark) : channel_(channel), mark_(mark) {}

  int run(const UnitRunnerFactory& factory) {
    if (!load_job(factory)) return 1;
    channel_.send(encode_message(HelloMessage{"", ::getpid(), ""}));
    while (take_messages()) {
      if (tasks_.empty()) continue;
      const Task task = tasks_.front();
      tasks_.pop_front();
      run_task(task);
      if (tasks_.empty()) send_outcomes();
    }
    return 0;
  }

 private:
  bool load_job(const UnitRunnerFactory& factory) {
    std::string bytes;
    if (channel_.receive(bytes, true) != SocketChannel::Reading::message) return false;
    const Message message = decode_message(bytes);
    const auto* job = std::get_if<JobMessage>(&message);
    if (job == nullptr) throw Error(ExitCode::internal, "executor: the first message is not the job");
    failpoint("executor.before_load");
    try {
      runner_ = factory(job->text);
      return true;
    } catch (const UnfitHost& error) {
      channel_.send(encode_message(BrokenMessage{error.what(), error.code(), Broken::worker}));
    } catch (const Error& error) {
      channel_.send(encode_message(BrokenMessage{error.what(), error.code(), Broken::run}));
    } catch (const std::exception& error) {
      channel_.send(encode_message(BrokenMessage{error.what(), ExitCode::internal, Broken::process}));
    }
    return false;
  }

  /// Reads what there is; waits where there is nothing to do. False when the worker has closed the socket.
  bool take_messages() {
    const double now = seconds_now();
    if (!tasks_.empty() && now - last_socket_check_ < socket_check_seconds) return true;
    last_socket_check_ = now;
    std::string bytes;
    while (true) {
      switch (channel_.receive(bytes, tasks_.empty())) {
        case SocketChannel::Reading::closed:
          return false;
        case SocketChannel::Reading::nothing:
          return true;
        case SocketChannel::Reading::message:
          take(decode_message(bytes));
      }
    }
  }

  void take(const Message& message) {
    if (const auto* work = std::get_if<WorkMessage>(&message)) {
      tasks_.insert(tasks_.end(), work->tasks.begin(), work->tasks.end());
    } else if (std::holds_alternative<RecallMessage>(message)) {
      ReturnedMessage returned;
      for (const Task& task : tasks_) returned.ids.push_back(task.id);
      tasks_.clear();
      send_outcomes();
      channel_.send(encode_message(returned));
    }
  }

  void run_task(const Task& task) {
    mark_.started.store(task.id, std::memory_order_release);
    mark_.heartbeats.fetch_add(1, std::memory_order_release);
    Outcome outcome{task.id, attempt_unit(*runner_, task.unit, [this] { beat(); })};
    const double end = seconds_now();
    const double seconds = outcome.result.seconds;
    if (outcomes_.outcomes.empty()) oldest_outcome_ = end;
    outcomes_.outcomes.push_back(std::move(outcome));
    const bool group_full = outcomes_.outcomes.size() >= group_size || end - oldest_outcome_ > group_seconds;
    if (group_full || seconds > tiny_unit_seconds) send_outcomes();
  }

  void beat() {
    mark_.heartbeats.fetch_add(1, std::memory_order_relaxed);
    if (!outcomes_.outcomes.empty() && seconds_now() - oldest_outcome_ > group_seconds) send_outcomes();
  }

  void send_outcomes() {
    if (outcomes_.outcomes.empty()) return;
    failpoint("executor.before_result");
    channel_.send(encode_message(outcomes_));
    outcomes_.outcomes.clear();
  }

  SocketChannel& channel_;
  ExecutorMark& mark_;
  std::unique_ptr<UnitRunner> runner_;
  std::deque<Task> tasks_;
  OutcomesMessage outcomes_;
  double oldest_outcome_ = 0;
  double last_socket_check_ = 0;
};

double peak_megabytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024 * 1e-6;
}

int number_after(const std::vector<std::string>& arguments, const std::string& name) {
  for (std::size_t i = 0; i + 1 < arguments.size(); ++i) {
    int number = 0;
    const std::string& text = arguments[i + 1];
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (arguments[i] == name && parsed.ec == std::errc() && parsed.ptr == text.data() + text.size()) return number;
  }
  throw Error(ExitCode::usage, "executor: " + name + " is missing; this command is for the program's own use");
}

}  // namespace

UnitResult attempt_unit(UnitRunner& runner, const Unit& unit, const std::function<void()>& heartbeat) {
  failpoint("executor.after_start");
  const double begin = seconds_now();
  UnitResult result;
  try {
    result = runner.run(unit, heartbeat);
  } catch (const std::exception& error) {
    result.status = UnitStatus::failed;
    result.reason = error.what();
  } catch (...) {
    result.status = UnitStatus::failed;
    result.reason = "an exception that is no std::exception";
  }
  result.unit = unit;
  result.seconds = seconds_now() - begin;
  result.megabytes = peak_megabytes();
  return result;
}

int run_executor_process(int fd, int parent, const UnitRunnerFactory& factory) {
  tie_to_parent(parent);
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  SocketChannel channel(fd);
  ExecutorMark* mark = receive_mark(fd);
  const int code = ExecutorLoop(channel, *mark).run(factory);
  ::munmap(mark, sizeof(ExecutorMark));
  return code;
}

int run_executor_process(const std::vector<std::string>& arguments, const UnitRunnerFactory& factory) {
  return run_executor_process(number_after(arguments, "--fd"), number_after(arguments, "--parent"), factory);
}

int executor_threads_from_environment() {
  const char* text = std::getenv("CROSSGRID_EXECUTOR_THREADS");
  int threads = 0;
  if (text != nullptr) std::from_chars(text, text + std::char_traits<char>::length(text), threads);
  return threads > 0 ? threads : 1;
}

}  // namespace crossgrid
