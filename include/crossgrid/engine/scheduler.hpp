#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "crossgrid/engine/lease.hpp"
#include "crossgrid/engine/message.hpp"

namespace crossgrid {

/// A unit and what it is expected to cost, in any measure that is proportional to its run time; the scheduler learns
/// the factor to seconds from the units that end.
struct PlannedUnit {
  Unit unit;
  double cost = 1;
};

/// Where the units of a run come from, each once, read only as fast as they are handed out. Neighbours in this order
/// should be those that share caches: the scheduler gives runs of neighbours to the same worker.
class UnitSource {
 public:
  virtual ~UnitSource() = default;
  virtual std::optional<PlannedUnit> next() = 0;
  /// How many next() gives in all rounds so far.
  virtual std::uint64_t total() const = 0;
  /// Asked when every unit so far has a durable record: begins another round, whose units follow from the results, if
  /// there is one. next() then goes on, and total() counts its units too.
  virtual bool next_round() { return false; }
};

struct SchedulerOptions {
  int workers = 1;
  int retries = 2;                 ///< further attempts after the first
  double retry_wait = 0.5;         ///< [s] before the second attempt, doubled for each further one
  int retire_after = 5;            ///< failures in a row of a worker whose units others then do: its device is at fault
  double batch_seconds = 0.25;     ///< work in a message, as predicted
  int batch_units = 64;            ///< most units in a message
  double heartbeat = 1;            ///< [s] longest silence of rank 0 towards a worker
  double lease = 20;               ///< [s] silence after which a worker's units go to others
  double steal_after = 1;          ///< [s] a worker keeps what it has not started while others have nothing to do
  double time_limit = 60;          ///< [s] least time limit of a unit
  double first_time_limit = 3600;  ///< [s] of the first units, whose run time can't be predicted yet
  double time_limit_factor = 10;   ///< time limit over predicted run time; grows fourfold with each failed attempt
  double grace = 10;               ///< [s] for units in flight when the run is stopped
  double farewell = 5;             ///< [s] to wait for workers to say that they ended
};

/// Deliberate faults that the simulation must catch; only tests set one.
enum class SchedulerBug {
  none,
  lease_never_lapses,
  attempts_not_counted,
  duplicates_accepted,
  ends_before_durable,       ///< complete although the journal could still lose results
  returned_units_forgotten,  ///< what a recalled worker hands back is not given to others
  conflicts_overlooked,      ///< two results of one unit may differ
  faulty_workers_kept        ///< a device that fails every unit is never retired
};

/// Where a run stands.
struct EngineProgress {
  std::uint64_t total = 0;
  std::uint64_t done = 0;        ///< with a result, durable or not
  std::uint64_t failed = 0;      ///< recorded as failed after all attempts
  std::uint64_t durable = 0;     ///< of done + failed: acknowledged by the sink
  std::uint64_t in_flight = 0;   ///< handed to workers
  std::uint64_t retried = 0;     ///< attempts that failed and were repeated
  std::uint64_t duplicates = 0;  ///< results of units that were closed already, dropped
  int workers = 0;               ///< alive
  int lost_workers = 0;          ///< silent at the moment
  double seconds = 0;            ///< since the run began
  double rate = 0;               ///< units/s over the last seconds
  double eta = 0;                ///< [s] expected to the end; not finite where unknown
};

enum class EngineEnd {
  running,
  complete,      ///< every unit has a durable record
  stopped,       ///< asked to stop: what is left is for the next run
  refused,       ///< the job can't be run, see message
  workers_lost,  ///< no worker is left
};

/// What the caller must do after a call: in the order results, messages.
struct SchedulerActions {
  struct Send {
    int to = 0;  ///< worker, 1 to workers
    Message message;
  };
  std::vector<UnitResult> results;  ///< for the sink; each unit once in a run
  std::vector<Send> sends;
  std::vector<std::string> warnings;  ///< for the user
};

/// Decides which worker runs what: a pure state machine, without clock, thread, file or transport. Workers are 1 to n.
/// Units are lent: they come back when their worker is silent for a lease, and whoever gives a result first, even late,
/// closes the unit. A unit whose attempts are used up is recorded as failed and the run goes on; a worker at which unit
/// after unit fails that others then do is sent home. A second result of a unit is dropped where it equals the first;
/// where it does not, the run is refused: its workers do not compute the same.
class Scheduler {
 public:
  Scheduler(const SchedulerOptions& options, UnitSource& source, std::string job,
            SchedulerBug bug = SchedulerBug::none);

  SchedulerActions on_message(Time now, int from, Message message);
  /// To be called at least every 100 ms.
  SchedulerActions on_tick(Time now);
  /// The sink has `count` more of the results on stable storage.
  void on_durable(std::uint64_t count) { durable_ += count; }
  /// Hand out nothing while `held`: there is no room for results. What workers have, they finish.
  void hold(bool held) { held_ = held; }
  /// Hand out nothing more, let units in flight end for `grace` seconds, then end. Zero: end now.
  SchedulerActions stop(Time now, double grace);

  EngineEnd end() const { return end_; }
  /// True when nothing is left to do or to hear: the run has ended and living workers have said goodbye (or had time
  /// to).
  bool finished() const { return finished_; }
  const std::string& message() const { return message_; }
  ExitCode refusal_code() const { return refusal_code_; }
  EngineProgress progress() const;
  /// Workers that were silent when last looked at; after a loss no collective operation may be used.
  std::vector<int> lost_workers() const;
  /// Process id and host of a worker as it said itself; zero and empty before that.
  HelloMessage identity(int worker) const { return workers_.at(static_cast<std::size_t>(worker - 1)).hello; }

 private:
  /// What is known of a unit's failed attempts.
  struct Failure {
    UnitResult last;           ///< reason, signal, log and host of the last one
    std::vector<int> workers;  ///< where attempts failed
  };
  struct OpenUnit {
    PlannedUnit planned;
    std::uint32_t failed_attempts = 0;
    int holders = 0;               ///< workers that it is lent to
    bool waiting = true;           ///< in a run, in the pool or to be tried again
    std::uint32_t times_lent = 0;  ///< more than once: a second result may come
    std::unique_ptr<Failure> failure;
  };
  enum class Standing { expected, alive, lost, broken, gone };
  struct WorkerState {
    Standing standing = Standing::expected;
    HelloMessage hello;
    Time heard{0};                  ///< lived time
    Time told{0};                   ///< lived time of the last message to it
    Time busy_since{0};             ///< lived time of the last hand-out or result
    std::deque<UnitId> run;         ///< its stretch of the source, not handed out yet
    std::map<UnitId, double> held;  ///< lent to it, with their costs
    double held_cost = 0;
    UnitId in_flight = no_unit;
    Time recalled_at{0};    ///< lived time of the last recall of a hoard
    bool recalled = false;  ///< a recall is on its way
    int refuted = 0;        ///< failures in a row whose units others did
    bool said_bye = false;
  };
  /// The result of a closed unit that was lent more than once.
  struct KeptResult {
    std::uint64_t fingerprint = 0;
    std::string host;
  };

  WorkerState& worker(int number) { return workers_[static_cast<std::size_t>(number - 1)]; }
  void warn_once(const std::string& warning, SchedulerActions& actions);
  void hear(int from, SchedulerActions& actions);
  void take_outcomes(int from, std::vector<Outcome>& outcomes, SchedulerActions& actions);
  void take_returned(int from, const std::vector<UnitId>& ids);
  void take_broken(int from, const BrokenMessage& broken, SchedulerActions& actions);
  void close_unit(UnitId id, UnitResult result, SchedulerActions& actions);
  void charge(int from, UnitId id, UnitResult result, SchedulerActions& actions);
  void drop_duplicate(int from, const Outcome& outcome, SchedulerActions& actions);
  void note_success(int from, const OpenUnit& unit, SchedulerActions& actions);
  void retire(int number, const std::string& reason, SchedulerActions& actions);
  void record_failed(UnitId id, SchedulerActions& actions);
  void release(WorkerState& state, UnitId id);
  void requeue(UnitId id, bool suspect);
  void give_back_all(WorkerState& state, bool suspect);
  void lose_silent_workers(SchedulerActions& actions);
  void hand_out(SchedulerActions& actions);
  bool refill(WorkerState& state);
  bool refill_from_source(WorkerState& state);
  bool refill_from_others(WorkerState& state);
  bool wants_work(const WorkerState& state) const;
  void serve(int number, SchedulerActions& actions);
  bool send_batch(int number, SchedulerActions& actions);
  Task lend(WorkerState& state, UnitId id);
  std::optional<UnitId> next_suspect(int number);
  bool may_try(int number, const OpenUnit& unit, Time due) const;
  std::size_t batch_limit() const;
  void recall_hoards(SchedulerActions& actions);
  void keep_company(SchedulerActions& actions);
  void end_run(EngineEnd end, SchedulerActions& actions);
  void check_end(SchedulerActions& actions);
  void check_workers_left(SchedulerActions& actions);
  void settle(SchedulerActions& actions);
  void send(int to, Message message, SchedulerActions& actions);
  double predicted_seconds(double cost) const;
  double time_limit(const OpenUnit& unit) const;
  double outstanding_seconds(const WorkerState& state) const;
  double first_seconds(const WorkerState& state) const;
  int living() const;
  bool farewells_due() const;
  std::uint64_t closed() const { return done_ + failed_; }
  std::uint64_t left_in_source() const { return source_.total() - next_id_; }
  std::uint64_t not_handed_out() const { return left_in_source() + waiting_; }
  bool concerns_sender_only(const Message& message) const;
  void note_rate();

  SchedulerOptions options_;
  UnitSource& source_;
  std::string job_;
  SchedulerBug bug_;
  LivedTime lived_clock_;
  Time lived_{0};
  Time started_{-1};
  std::vector<WorkerState> workers_;
  std::unordered_map<UnitId, OpenUnit> open_;
  std::multimap<Time, UnitId> suspects_;  ///< attempt failed or worker lost: next to go out when due, each alone
  std::deque<UnitId> pool_;               ///< given back unharmed
  std::unordered_map<UnitId, KeptResult> closed_relent_;
  UnitId next_id_ = 0;
  std::uint64_t waiting_ = 0;  ///< open units that nobody works on
  int living_ = 1;             ///< workers when last looked at, at least 1
  std::uint64_t done_ = 0, failed_ = 0, durable_ = 0, retried_ = 0, duplicates_ = 0;
  double measured_seconds_ = 0, measured_cost_ = 0;  ///< sums over recent units
  std::deque<std::pair<Time, std::uint64_t>> rate_marks_;
  std::set<std::string> warned_;
  bool held_ = false;
  bool draining_ = false;
  Time drain_until_{0};
  EngineEnd end_ = EngineEnd::running;
  bool farewell_sent_ = false;
  Time farewell_until_{0};
  bool finished_ = false;
  std::string message_;
  ExitCode refusal_code_ = ExitCode::internal;
};

}  // namespace crossgrid
