#pragma once

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "crossgrid/engine/lease.hpp"
#include "crossgrid/engine/message.hpp"

namespace crossgrid {

struct WorkerOptions {
  double heartbeat = 1;        ///< [s] longest silence towards rank 0
  double lease = 30;           ///< [s] silence of rank 0 after which the worker ends
  double silence_limit = 60;   ///< [s] without a heartbeat of the unit in flight after which the executor is killed
  double start_limit = 600;    ///< [s] for the executor to load the job
  int start_attempts = 3;      ///< before the worker says that it is broken
  double start_backoff = 0.5;  ///< [s] before the second start, doubled for each further one
  double close_limit = 2;      ///< [s] for the executor to end by itself
};

/// What the worker asks of its executor process.
struct SpawnExecutor {};
struct KillExecutor {};   ///< SIGKILL to its process group; ExecutorDied follows
struct CloseExecutor {};  ///< close the socket: the executor ends by itself; ExecutorDied follows
struct TellExecutor {
  Message message;
};
using ExecutorCommand = std::variant<SpawnExecutor, KillExecutor, CloseExecutor, TellExecutor>;

/// What became known of the executor process, in the order in which it happened. Everything that it sent before its
/// end comes before ExecutorDied; nothing of it comes after.
struct ExecutorSaid {
  Message message;
};
struct ExecutorPulse {           ///< read from shared memory, at every look
  UnitId started = no_unit;      ///< the unit that it is working on
  std::uint64_t heartbeats = 0;  ///< count, including one per started unit
};
struct ExecutorDied {
  UnitId started = no_unit;
  std::string how;  ///< "killed by signal 9 (SIGKILL)", "exited with code 3", "could not be started: ..."
  std::string log;  ///< its last lines
  int signal = 0;   ///< that ended it, or 0
};
using ExecutorEvent = std::variant<ExecutorSaid, ExecutorPulse, ExecutorDied>;

/// What the caller must do after a call: executor commands in their order, messages to rank 0 in theirs.
struct WorkerActions {
  std::vector<ExecutorCommand> executor;
  std::vector<Message> sends;
};

/// Supervises one executor process on behalf of the scheduler: a pure state machine. A crash, a kill or a hang costs
/// the unit in flight one attempt; the untouched rest of the batch runs in the next process.
class Worker {
 public:
  Worker(const WorkerOptions& options, HelloMessage hello);

  /// Says hello; to be called once, first.
  WorkerActions start(Time now);
  WorkerActions on_message(Time now, Message message);
  WorkerActions on_executor(Time now, ExecutorEvent event);
  /// To be called at least every 100 ms.
  WorkerActions on_tick(Time now);

  /// No executor process is left and nothing will be done any more.
  bool finished() const { return finished_; }
  /// Why the worker ended although rank 0 does not know of it; empty where rank 0 does.
  const std::string& complaint() const { return complaint_; }

 private:
  enum class Process { absent, starting, ready, dying };

  void take_work(const std::vector<Task>& tasks);
  void take_recall(WorkerActions& actions);
  void take_said(Message message, WorkerActions& actions);
  void take_outcomes(OutcomesMessage outcomes, WorkerActions& actions);
  void take_pulse(const ExecutorPulse& pulse);
  void take_death(const ExecutorDied& death, WorkerActions& actions);
  void blame(const ExecutorDied& death, const std::string& why, WorkerActions& actions);
  void answer_recall(WorkerActions& actions);
  void fail_start(const std::string& why, WorkerActions& actions);
  void break_down(BrokenMessage broken, WorkerActions& actions);
  void check_limits(WorkerActions& actions);
  void kill(std::string why, WorkerActions& actions);
  void end(WorkerActions& actions);
  void advance(WorkerActions& actions);
  void send(Message message, WorkerActions& actions);

  WorkerOptions options_;
  HelloMessage hello_;
  LivedTime lived_clock_;
  Time lived_{0};
  Time heard_{0};
  Time told_{0};
  std::string job_;
  bool have_job_ = false;
  Process process_ = Process::absent;
  int failed_starts_ = 0;
  Time start_not_before_{0};
  Time process_since_{0};
  std::deque<Task> queue_;  ///< not sent to the executor
  std::deque<Task> batch_;  ///< sent, without an outcome yet
  bool recalling_ = false;  ///< the rest of the batch goes back to rank 0
  std::vector<UnitId> to_return_;
  UnitId in_flight_ = no_unit;
  std::uint64_t heartbeats_ = 0;
  Time in_flight_since_{0};
  Time beat_since_{0};
  std::string kill_reason_;
  bool ending_ = false;
  Time end_by_{0};
  bool finished_ = false;
  std::string complaint_;
};

}  // namespace crossgrid
