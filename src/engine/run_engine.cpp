#include "crossgrid/engine/run_engine.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "crossgrid/engine/event_loop.hpp"
#include "crossgrid/engine/failpoint.hpp"
#include "crossgrid/engine/loopback_transport.hpp"
#include "crossgrid/engine/worker_host.hpp"

namespace crossgrid {
namespace {

constexpr double mpirun_grace = 0.6;   // [s] mpirun kills all ranks one second after it got SIGTERM
constexpr int messages_per_turn = 64;  // then the clock, the sink and the workers have their turn

/// Rank 0: the scheduler between transport, sink and user.
class SchedulerHost {
 public:
  SchedulerHost(Transport& transport, bool under_mpi, const EngineOptions& options, const SchedulerOptions& scheduling,
                UnitSource& source, ResultSink& sink, const std::string& job,
                const std::function<void(const EngineProgress&)>& progress, const Clock& clock)
      : transport_(transport),
        under_mpi_(under_mpi),
        options_(options),
        scheduling_(scheduling),
        sink_(sink),
        progress_(progress),
        clock_(clock),
        scheduler_(scheduling, source, job) {}

  /// Looks at everything once without waiting; true when something happened.
  bool turn() {
    bool busy = false;
    check_signals();
    for (int i = 0; i < messages_per_turn; ++i) {
      auto arrival = transport_.receive();
      if (!arrival) break;
      busy = true;
      perform(scheduler_.on_message(clock_.now(), arrival->from, decode_message(arrival->bytes)));
    }
    with_sink([this] { sink_.poll(); });
    scheduler_.hold(!sink_.accepts());
    flush_at_the_end();
    perform(scheduler_.on_tick(clock_.now()));
    show_progress();
    return busy;
  }

  bool finished() const { return scheduler_.finished(); }

  /// Ends all workers, whatever state they are in; for when this rank can't go on.
  void dismiss_workers() {
    for (int to = 1; to < transport_.size(); ++to) transport_.send(to, encode_message(StopMessage{}));
  }

  EngineOutcome outcome() {
    with_sink([this] { sink_.flush(); });
    if (storage_error_) std::rethrow_exception(storage_error_);
    EngineOutcome outcome;
    outcome.end = scheduler_.end();
    outcome.progress = scheduler_.progress();
    outcome.message = scheduler_.message();
    outcome.lost_ranks = !scheduler_.lost_workers().empty();
    outcome.signal = signals_.first();
    outcome.code = code(outcome);
    if (progress_) progress_(outcome.progress);
    return outcome;
  }

 private:
  ExitCode code(const EngineOutcome& outcome) const {
    switch (outcome.end) {
      case EngineEnd::complete:
        return outcome.progress.failed == 0 ? ExitCode::success : ExitCode::failed_points;
      case EngineEnd::refused:
        return scheduler_.refusal_code();
      case EngineEnd::workers_lost:
        // Silent workers may be back at the next start; those that could not run would fail again.
        return scheduler_.lost_workers().empty() ? scheduler_.refusal_code() : ExitCode::to_be_continued;
      default:
        return ExitCode::to_be_continued;
    }
  }

  void perform(SchedulerActions actions) {
    for (const std::string& warning : actions.warnings) {
      if (options_.warn) options_.warn(warning);
    }
    if (!actions.results.empty()) append(std::move(actions.results));
    for (SchedulerActions::Send& send : actions.sends) transport_.send(send.to, encode_message(send.message));
  }

  void append(std::vector<UnitResult> results) {
    failpoint("scheduler.before_append");
    const std::uint64_t count = results.size();
    with_sink([&] { sink_.append(std::move(results), [this, count] { scheduler_.on_durable(count); }); });
  }

  /// After an error of the sink nothing more is written: the workers are ended, then the error is the caller's.
  template <typename Call>
  void with_sink(const Call& call) {
    if (storage_error_) return;
    try {
      call();
    } catch (const Error&) {
      storage_error_ = std::current_exception();
      perform(scheduler_.stop(clock_.now(), 0));
    }
  }

  /// Where only the disk is waited for, it need not wait for others.
  void flush_at_the_end() {
    const EngineProgress progress = scheduler_.progress();
    const std::uint64_t recorded = progress.done + progress.failed;
    const bool waits = recorded == progress.total && progress.durable < recorded;
    if (waits && sink_.accepts()) with_sink([this] { sink_.flush(); });
  }

  void check_signals() {
    const int count = signals_.count();
    if (count == signals_seen_) return;
    const bool first = signals_seen_ == 0;
    signals_seen_ = count;
    if (!first || count > 1) {
      perform(scheduler_.stop(clock_.now(), 0));
      return;
    }
    const bool mpirun_ends = under_mpi_ && signals_.first() != SIGUSR1;
    perform(scheduler_.stop(clock_.now(), mpirun_ends ? mpirun_grace : scheduling_.grace));
    with_sink([this] { sink_.flush(); });
  }

  void show_progress() {
    const Time now = clock_.now();
    if (!progress_ || (shown_ && now - *shown_ < from_seconds(options_.progress_interval))) return;
    shown_ = now;
    progress_(scheduler_.progress());
  }

  Transport& transport_;
  bool under_mpi_;
  const EngineOptions& options_;
  SchedulerOptions scheduling_;
  ResultSink& sink_;
  const std::function<void(const EngineProgress&)>& progress_;
  const Clock& clock_;
  Scheduler scheduler_;
  StopSignals signals_;
  int signals_seen_ = 0;
  std::exception_ptr storage_error_;
  std::optional<Time> shown_;
};

/// Rank 0's loop, with its own worker where there are no other ranks.
void serve(SchedulerHost& host, WorkerHost* local_worker) {
  IdleWait idle;
  std::vector<pollfd> descriptors;
  while (true) {
    bool busy = host.turn();
    if (local_worker != nullptr) busy = local_worker->turn() || busy;
    if (host.finished()) return;
    if (busy) {
      idle.reset();
      continue;
    }
    descriptors.clear();
    if (local_worker != nullptr) local_worker->add_descriptors(descriptors);
    idle.wait(descriptors);
  }
}

}  // namespace

std::string this_program() {
  const std::filesystem::path link = "/proc/self/exe";
  std::error_code ignored;
  const std::filesystem::path program = std::filesystem::read_symlink(link, ignored);
  return std::filesystem::exists(program, ignored) ? program.string() : link.string();
}

Time MonotonicClock::now() const {
  return std::chrono::duration_cast<Time>(std::chrono::steady_clock::now().time_since_epoch());
}

void set_lease(EngineOptions& options, double seconds) {
  options.scheduler.lease = seconds;
  options.worker.lease = 1.5 * seconds;
  options.scheduler.heartbeat = options.worker.heartbeat = std::min(1.0, seconds / 5);
}

EngineOutcome run_engine(Transport* transport, const EngineOptions& options, UnitSource& source, ResultSink& sink,
                         const std::string& job, const std::function<void(const EngineProgress&)>& progress,
                         const Clock& clock) {
  const bool distributed = transport != nullptr && transport->size() > 1;
  LoopbackTransport loopback;
  std::optional<WorkerHost> local_worker;
  if (!distributed) local_worker.emplace(loopback.worker_end(), options, clock);
  SchedulerOptions scheduling = options.scheduler;
  scheduling.workers = distributed ? transport->size() - 1 : 1;
  SchedulerHost host(distributed ? *transport : loopback.scheduler_end(), transport != nullptr, options, scheduling,
                     source, sink, job, progress, clock);
  try {
    serve(host, local_worker ? &*local_worker : nullptr);
    return host.outcome();
  } catch (...) {
    host.dismiss_workers();
    throw;
  }
}

int run_worker(Transport& transport, const EngineOptions& options, const Clock& clock) {
  const StopSignals ignored;
  WorkerHost host(transport, options, clock);
  IdleWait idle;
  std::vector<pollfd> descriptors;
  while (!host.worker().finished()) {
    if (host.turn()) {
      idle.reset();
      continue;
    }
    descriptors.clear();
    host.add_descriptors(descriptors);
    idle.wait(descriptors);
  }
  return static_cast<int>(host.worker().complaint().empty() ? ExitCode::success : ExitCode::internal);
}

}  // namespace crossgrid
