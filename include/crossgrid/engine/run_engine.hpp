#pragma once

#include <functional>
#include <string>
#include <vector>

#include "crossgrid/engine/scheduler.hpp"
#include "crossgrid/engine/transport.hpp"
#include "crossgrid/engine/worker.hpp"

namespace crossgrid {

/// Where results go: the journal. Called only from the thread that runs the engine.
class ResultSink {
 public:
  virtual ~ResultSink() = default;
  /// Takes results over. `durable` is to be called once, when all of them are on stable storage, from inside append(),
  /// poll() or flush(). Throws Error(storage), which ends the run.
  virtual void append(std::vector<UnitResult> results, std::function<void()> durable) = 0;
  /// False while there is no room for results: nothing new should be begun.
  virtual bool accepts() const { return true; }
  /// Called some hundred times a second: the moment for a group commit that is due.
  virtual void poll() = 0;
  /// Makes durable what was appended, now.
  virtual void flush() = 0;
};

/// The engine's only clock: monotonic, never the wall clock.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
};

class MonotonicClock : public Clock {
 public:
  Time now() const override;
};

/// Path of the running program. Read from /proc/self/exe, since under valgrind that link itself leads to valgrind; the
/// link where the program's file has been replaced meanwhile.
std::string this_program();

struct EngineOptions {
  SchedulerOptions scheduler;  ///< `workers` is set by run_engine
  WorkerOptions worker;        ///< in rank 0 only used without mpirun
  /// Command line of the executor process; "--fd N --parent PID" is appended. Default: this program, "executor".
  std::vector<std::string> executor_command = {this_program(), "executor"};
  int executor_threads = 0;  ///< handed to the executor in CROSSGRID_EXECUTOR_THREADS; 0: cores / workers sharing them
  double progress_interval = 0.1;                ///< [s] between calls of the progress callback
  std::function<void(const std::string&)> warn;  ///< what the user should know, one line each
};

struct EngineOutcome {
  EngineEnd end = EngineEnd::running;
  EngineProgress progress;
  std::string message;                 ///< why, where not complete
  ExitCode code = ExitCode::internal;  ///< what the program should exit with
  bool lost_ranks = false;             ///< for Transport::finish
  int signal = 0;                      ///< that stopped the run, or 0
};

/// Sets the leases of both directions: rank 0 gives up a worker that is silent for `seconds`, a worker gives up rank 0
/// after half as much again, so that a dead rank 0 ends everything within two leases.
void set_lease(EngineOptions& options, double seconds);

/// Runs all units of the source on the workers, as rank 0: with a transport of more than one rank on ranks 1 and up,
/// else on one worker in this process. Returns when every result is durable, or the run can't go on, or SIGTERM,
/// SIGUSR1 or SIGINT asked for the end (once: units in flight end and are kept; twice: at once). The executors have
/// ended by then, no child is left. A storage error of the sink ends the workers and is thrown.
EngineOutcome run_engine(Transport* transport, const EngineOptions& options, UnitSource& source, ResultSink& sink,
                         const std::string& job, const std::function<void(const EngineProgress&)>& progress,
                         const Clock& clock = MonotonicClock());

/// The other ranks: serves rank 0 until told to stop or until rank 0 is silent for a lease; the exit code.
/// Ignores SIGTERM, SIGUSR1 and SIGINT: rank 0 decides.
int run_worker(Transport& transport, const EngineOptions& options, const Clock& clock = MonotonicClock());

/// Cores that a process may run on (its affinity mask); 0 is this process.
int cores_in_mask(int process = 0);
/// Threads of an executor where the user gave none: the cores of the mask, divided by the workers that share them.
int default_executor_threads(int cores, int workers_sharing_cores);
/// The warning for an executor with less than a core per thread: `wanted` threads, `cores` in its mask. Empty where all
/// is well. Under MPI it names the usual cause.
std::string affinity_warning(int wanted, int cores, bool under_mpi);

}  // namespace crossgrid
