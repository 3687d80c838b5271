#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "crossgrid/engine/scheduler.hpp"
#include "crossgrid/engine/worker.hpp"

/// Deterministic simulation of scheduler and workers: the real state machines, one thread, virtual time, everything
/// else drawn from a seed: message delays, executor crashes, hangs, exceptions, broken devices, lost and paused
/// workers, a worker that computes something else, a full disk, a paused, a stopped and a killed rank 0 whose journal
/// forgets what was not synced. A run is checked against the simulation's own ledger of what happened to each unit.
namespace crossgrid::simulation {

/// What a seed stands for. Each kind of fault is on in half of the seeds only: all at once find less.
struct Plan {
  explicit Plan(std::uint64_t seed) : dice(seed) {
    workers = static_cast<int>(below(6)) + 1;
    units = below(4) == 0 ? 1 + below(8) : 1 + below(150);
    mean_cost = pick({0.0005, 0.01, 0.1, 0.4});
    longest_delay = pick({0.0005, 0.01, 0.3});
    crash_rate = pick({0, 0, 0.01, 0.1});
    throw_rate = pick({0, 0, 0.05});
    hang_rate = pick({0, 0, 0.02});
    idle_death_rate = pick({0, 0, 0.02});
    start_failure_rate = pick({0, 0, 0.2});
    poison_units = below(3) == 0 ? below(4) : 0;
    lost_workers = flip() ? static_cast<int>(below(static_cast<std::uint64_t>(workers))) : 0;
    pauses = flip() ? static_cast<int>(below(4)) : 0;
    rank0_pauses = flip() ? static_cast<int>(below(3)) : 0;
    rank0_ends = below(3) == 0 ? static_cast<int>(below(3)) : 0;
    full_disks = below(3) == 0 ? static_cast<int>(1 + below(3)) : 0;
    if (workers > 1 && below(6) == 0)
      faulty_worker = 1 + static_cast<int>(below(static_cast<std::uint64_t>(workers - 1)));
    if (workers > 1 && below(8) == 0) {
      liar = 1 + static_cast<int>(below(static_cast<std::uint64_t>(workers)));
      pauses = 1;  // long enough for a lease: results come twice
    }
    rounds = 1 + seed % 4;
    faults_until = 1 + uniform() * 20;
    if (faulty_worker > 0 && flip()) calm_down();
  }
  /// Nothing happens but a broken device: it must be found.
  void calm_down() {
    calm = true;
    crash_rate = throw_rate = hang_rate = idle_death_rate = start_failure_rate = 0;
    poison_units = 0;
    lost_workers = pauses = rank0_pauses = rank0_ends = full_disks = liar = 0;
    longest_delay = 0.01;
  }
  double uniform() { return static_cast<double>(dice() >> 11) * 0x1p-53; }
  std::uint64_t below(std::uint64_t limit) { return dice() % limit; }
  bool flip() { return below(2) == 0; }
  double pick(std::vector<double> values) { return values[below(values.size())]; }

  std::mt19937_64 dice;
  int workers;
  std::uint64_t units;
  double mean_cost, longest_delay, crash_rate, throw_rate, hang_rate, idle_death_rate, start_failure_rate;
  std::uint64_t poison_units;
  int lost_workers, pauses, rank0_pauses, rank0_ends, full_disks;
  int faulty_worker = 0;  ///< every unit crashes there; 0: none
  int liar = 0;           ///< its results are not those of the others; 0: none
  bool calm = false;
  std::size_t rounds = 1;  ///< in which the units are known
  double faults_until;
};

inline void claim(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

class Units : public UnitSource {
 public:
  /// In `rounds` of about equal size; `decide` is called before each but the first.
  Units(std::vector<Unit> units, double mean_cost, std::size_t rounds, std::function<void()> decide)
      : units_(std::move(units)), mean_cost_(mean_cost), rounds_(rounds), decide_(std::move(decide)) {
    begin_round();
  }
  std::optional<PlannedUnit> next() override {
    if (next_ == end_) return std::nullopt;
    const Unit unit = units_[next_++];
    return PlannedUnit{unit, cost(unit)};
  }
  std::uint64_t total() const override { return end_; }
  bool next_round() override {
    if (end_ == units_.size()) return false;
    decide_();
    begin_round();
    return true;
  }
  double cost(const Unit& unit) const { return mean_cost_ * (0.5 + static_cast<double>(unit.point % 7) / 6); }

 private:
  void begin_round() {
    for (const std::size_t before = end_; end_ == before && end_ < units_.size();) {
      end_ = units_.size() * ++round_ / rounds_;
    }
  }

  std::vector<Unit> units_;
  double mean_cost_;
  std::size_t rounds_;
  std::function<void()> decide_;
  std::size_t round_ = 0;
  std::size_t end_ = 0;  ///< of the round's units
  std::size_t next_ = 0;
};

/// What the simulation itself knows of a unit.
struct Ledger {
  int blows = 0;   ///< attempts of this run that ended badly, or may be taken to have
  int done = 0;    ///< done results in the sink
  int failed = 0;  ///< failed ones
};

/// What the seeds so far have met: a simulation that never reaches the rare cases shows nothing.
struct Coverage {
  std::uint64_t done = 0, failed = 0, retried = 0, duplicates = 0, lost_workers = 0, recalls = 0;
  std::uint64_t completed = 0, stopped = 0, killed = 0, refused = 0;
  std::uint64_t forgotten = 0, retired = 0, held = 0, rounds = 0;
};

class Simulation {
 public:
  Simulation(std::uint64_t seed, SchedulerBug bug, Coverage& coverage)
      : coverage_(coverage), plan_(seed), bug_(bug), ledger_(plan_.units) {
    for (std::uint64_t i = 0; i < plan_.poison_units; ++i) poison_.insert(plan_.below(plan_.units));
  }

  /// Runs to the end, over restarts of rank 0; throws std::runtime_error where a claim does not hold.
  void run() {
    int unlucky = 0;
    for (int start = 0;; ++start) {
      const bool complete = run_once(start - unlucky < plan_.rank0_ends);
      if (conflict_) return;  // the user has to find out who is right
      if (complete) break;
      if (start - unlucky < plan_.rank0_ends) continue;
      // One worker was sent home, the others were lost: the next start has them all again.
      unlucky += scheduler_->end() == EngineEnd::workers_lost && retired_ > 0;
      claim(unlucky > 0 && unlucky <= 3, "a run that nobody stopped did not complete: " + state_text());
    }
    for (std::uint64_t i = 0; i < plan_.units; ++i) check_final(i);
  }

 private:
  static constexpr double tick = 0.25;
  static constexpr double time_to_finish = 1500;  ///< [s] after the last fault
  static constexpr std::uint64_t lie = 1'000'000;

  /// A simulated executor process of one worker.
  struct Executor {
    bool alive = false, ready = false, doomed = false;
    std::uint64_t process = 0;  ///< events of earlier processes are void
    std::deque<Task> tasks;
    bool working = false;
    Task current;
    OutcomesMessage unsent;
    UnitId started = no_unit;
    std::uint64_t heartbeats = 0;
    bool beating = false;
  };
  struct Rank {
    std::unique_ptr<Worker> worker;
    Executor executor;
    double link_in = 0, link_out = 0;  ///< no message overtakes another
    double paused_until = 0;
    bool lost = false;
  };

  struct Event {
    double time;
    std::uint64_t number;
    std::function<void()> happen;
    bool operator<(const Event& other) const { return time != other.time ? time > other.time : number > other.number; }
  };

  void at(double time, std::function<void()> happen) {
    events_.push({std::max(time, now_), event_number_++, std::move(happen)});
  }
  Time clock() const { return from_seconds(now_); }
  double delay() { return plan_.uniform() * plan_.longest_delay; }
  bool faulty(double rate) { return now_ < faults_end_ && plan_.uniform() < rate; }

  bool run_once(bool rank0_ends) {
    std::vector<Unit> open;
    for (std::uint64_t i = 0; i < plan_.units; ++i) {
      if (ledger_[i].done + ledger_[i].failed == 0) open.push_back(Unit{i, 0, 0, 1});
      ledger_[i].blows = 0;
    }
    done_values_.clear();
    unsynced_.clear();
    disk_full_until_ = 0;
    held_ = false;
    faulty_attempts_ = 0;
    retired_ = 0;
    events_ = {};
    faults_end_ = now_ + plan_.faults_until;
    units_ = std::make_unique<Units>(open, plan_.mean_cost, plan_.rounds, [this, open] { check_round(open); });
    scheduler_ = std::make_unique<Scheduler>(scheduler_options(), *units_, "job", bug_);
    rank0_killed_ = false;
    rank0_paused_until_ = 0;
    ranks_.clear();
    ranks_.resize(static_cast<std::size_t>(plan_.workers));
    for (int number = 1; number <= plan_.workers; ++number) start_worker(number);
    schedule_faults(rank0_ends);
    tick_scheduler();
    live();
    if (!rank0_killed_) sync(unsynced_.size());  // the last flush
    count_coverage();
    if (plan_.calm) claim(faulty_attempts_ <= 60, "a broken device got " + std::to_string(faulty_attempts_) + " units");
    return scheduler_->end() == EngineEnd::complete;
  }

  void live() {
    const double deadline = faults_end_ + time_to_finish;
    while (!all_ended()) {
      claim(!events_.empty() && events_.top().time < deadline, "not finished in bounded time: " + state_text());
      Event event = events_.top();
      events_.pop();
      now_ = event.time;
      event.happen();
    }
  }

  void count_coverage() {
    const EngineProgress progress = scheduler_->progress();
    coverage_.done += progress.done;
    coverage_.failed += progress.failed;
    coverage_.retried += progress.retried;
    coverage_.duplicates += progress.duplicates;
    coverage_.completed += scheduler_->end() == EngineEnd::complete;
    coverage_.stopped += scheduler_->end() == EngineEnd::stopped;
    coverage_.killed += rank0_killed_;
    coverage_.refused += conflict_;
    coverage_.retired += retired_;
  }

  std::string state_text() const {
    const EngineProgress progress = scheduler_->progress();
    std::string text = std::to_string(progress.done + progress.failed) + " of " + std::to_string(progress.total) +
                       " units closed, " + std::to_string(progress.in_flight) + " in flight, end " +
                       std::to_string(static_cast<int>(scheduler_->end())) + (rank0_killed_ ? ", rank 0 killed" : "");
    for (const Rank& rank : ranks_) {
      text += rank.lost ? ", lost" : rank.worker->finished() ? ", ended" : ", living";
      if (rank.executor.alive) text += " with executor";
    }
    return text;
  }

  bool all_ended() const {
    const bool workers_ended = std::all_of(ranks_.begin(), ranks_.end(),
                                           [](const Rank& rank) { return rank.lost || rank.worker->finished(); });
    return workers_ended && (rank0_killed_ || scheduler_->finished());
  }

  SchedulerOptions scheduler_options() {
    SchedulerOptions options;
    options.workers = plan_.workers;
    options.lease = 4;
    options.time_limit = 3;
    options.first_time_limit = 20;
    options.grace = 2;
    return options;
  }

  void schedule_faults(bool rank0_ends) {
    const auto moment = [this] { return now_ + plan_.uniform() * plan_.faults_until; };
    for (int i = 0; i < plan_.lost_workers; ++i) {
      at(moment(), [this, i] { lose(i + 1); });  // never the last worker
    }
    for (int i = 0; i < plan_.pauses; ++i) {
      const int number = 1 + static_cast<int>(plan_.below(static_cast<std::uint64_t>(plan_.workers)));
      at(moment(), [this, number] { pause(number, plan_.uniform() * 10 / plan_.pauses); });
    }
    for (int i = 0; i < plan_.rank0_pauses; ++i) {
      at(moment(), [this] {
        // Never shorter than a pause before it: messages would overtake each other.
        rank0_paused_until_ = std::max(rank0_paused_until_, now_ + plan_.uniform() * 10 / plan_.rank0_pauses);
      });
    }
    for (int i = 0; i < plan_.full_disks; ++i) {
      at(moment(), [this] { disk_full_until_ = std::max(disk_full_until_, now_ + plan_.uniform() * 5); });
    }
    if (!rank0_ends) return;
    if (plan_.flip()) {
      at(moment(), [this] { kill_rank0(); });
    } else {
      at(moment(), [this] { perform(scheduler_->stop(clock(), 2)); });
    }
  }

  /// The scheduler may charge any unit that the worker has: it knows only what it heard last.
  void suspect_all(const Rank& rank) {
    if (rank.executor.working) ++ledger_[rank.executor.current.unit.point].blows;
    for (const Task& task : rank.executor.tasks) ++ledger_[task.unit.point].blows;
    for (const Outcome& outcome : rank.executor.unsent.outcomes) ++ledger_[outcome.result.unit.point].blows;
  }
  void lose(int number) {
    suspect_all(rank(number));
    rank(number).lost = true;
  }
  void pause(int number, double seconds) {
    suspect_all(rank(number));
    rank(number).paused_until = std::max(rank(number).paused_until, now_ + seconds);
  }

  Rank& rank(int number) { return ranks_[static_cast<std::size_t>(number - 1)]; }

  // --- rank 0
  bool rank0_gone() const { return rank0_killed_ || scheduler_->finished(); }

  void tick_scheduler() {
    if (rank0_gone()) return;
    if (now_ >= rank0_paused_until_) {
      held_ = now_ < disk_full_until_;
      coverage_.held += held_;
      scheduler_->hold(held_);
      perform(scheduler_->on_tick(clock()));
    }
    at(std::max(now_ + tick, rank0_paused_until_), [this] { tick_scheduler(); });
  }

  void deliver_to_scheduler(int from, const std::string& bytes) {
    if (rank0_gone()) return;
    if (now_ < rank0_paused_until_) {
      at(rank0_paused_until_, [this, from, bytes] { deliver_to_scheduler(from, bytes); });
      return;
    }
    const Message message = decode_message(bytes);
    const bool unequal = contradicts(message);
    perform(scheduler_->on_message(clock(), from, message));
    if (unequal) {
      conflict_ = true;
      claim(scheduler_->end() == EngineEnd::refused, "two results of one unit differ, and nobody says so");
    }
  }

  /// A result of a unit that this run has recorded otherwise.
  bool contradicts(const Message& message) const {
    const auto* outcomes = std::get_if<OutcomesMessage>(&message);
    return outcomes != nullptr && std::ranges::any_of(outcomes->outcomes, [this](const Outcome& outcome) {
             const auto recorded = done_values_.find(outcome.result.unit.point);
             return outcome.result.status == UnitStatus::done && recorded != done_values_.end() &&
                    recorded->second != outcome.result.metrics.at("value").count;
           });
  }

  // --- its journal: what is appended is on the disk when it is synced; of the rest, a prefix may be
  void append(const std::vector<UnitResult>& results) {
    for (const UnitResult& result : results) {
      record(result);
      unsynced_.push_back(result.unit.point);
    }
    const std::size_t count = results.size();
    at(std::max(now_, disk_full_until_) + plan_.uniform() * 0.1, [this, count] {
      if (!rank0_killed_) sync(std::min(count, unsynced_.size()));
    });
  }

  void sync(std::size_t count) {
    unsynced_.erase(unsynced_.begin(), unsynced_.begin() + static_cast<std::ptrdiff_t>(count));
    scheduler_->on_durable(count);
  }

  void kill_rank0() {
    if (rank0_gone()) return;
    rank0_killed_ = true;
    const std::size_t kept = now_ < disk_full_until_ ? 0 : plan_.below(unsynced_.size() + 1);
    for (std::size_t i = kept; i < unsynced_.size(); ++i) {
      Ledger& unit = ledger_[unsynced_[i]];
      unit.done = unit.failed = 0;
      ++coverage_.forgotten;
    }
    unsynced_.clear();
  }

  void perform(SchedulerActions actions) {
    if (!actions.results.empty()) append(actions.results);
    if (scheduler_->end() == EngineEnd::complete) {
      claim(unsynced_.empty(), "complete, but " + std::to_string(unsynced_.size()) + " results may still be lost");
    }
    retired_ += static_cast<std::uint64_t>(std::ranges::count_if(
        actions.warnings, [](const std::string& text) { return text.find("sent home") != std::string::npos; }));
    coverage_.lost_workers += static_cast<std::uint64_t>(std::ranges::count_if(
        actions.warnings, [](const std::string& text) { return text.find("silent") != std::string::npos; }));
    for (SchedulerActions::Send& send : actions.sends) {
      coverage_.recalls += std::holds_alternative<RecallMessage>(send.message);
      claim(!held_ || !std::holds_alternative<WorkMessage>(send.message), "work is handed out while the disk is full");
      ++messages_;
      claim(messages_ < 1000 + 100 * plan_.units + 50 * now_ * static_cast<double>(plan_.workers),
            "a storm of messages");
      Rank& to = rank(send.to);
      to.link_in = std::max(to.link_in, now_ + delay());
      const int number = send.to;
      at(to.link_in, [this, number, bytes = encode_message(send.message)] { deliver_to_worker(number, bytes); });
    }
  }

  void record(const UnitResult& result) {
    Ledger& unit = ledger_.at(result.unit.point);
    ++(result.status == UnitStatus::done ? unit.done : unit.failed);
    const std::string name = "unit " + std::to_string(result.unit.point);
    claim(unit.done + unit.failed == 1, name + " is recorded twice");
    if (result.status == UnitStatus::done) {
      claim(!poison_.contains(result.unit.point), name + " can't be done, but is");
      const std::uint64_t value = result.metrics.at("value").count;
      claim(value == result.unit.point || (plan_.liar > 0 && value == result.unit.point + lie),
            name + " has another unit's result");
      done_values_[result.unit.point] = value;
    } else {
      claim(unit.blows >= 3, name + " is recorded as failed after " + std::to_string(unit.blows) + " blows");
      claim(result.attempts == 3 && !result.reason.empty(), name + " failed without attempts or reason");
    }
  }

  /// Another round follows from the results of those before: they are all there, and can't be lost any more.
  void check_round(const std::vector<Unit>& open) {
    claim(unsynced_.empty(),
          "a round is decided, but " + std::to_string(unsynced_.size()) + " results may still be lost");
    for (std::uint64_t n = 0; n < units_->total(); ++n) {
      const Ledger& unit = ledger_[open[n].point];
      claim(unit.done + unit.failed == 1,
            "a round is decided, but the result of unit " + std::to_string(open[n].point) + " may still be lost");
    }
    ++coverage_.rounds;
  }

  void check_final(std::uint64_t point) const {
    const Ledger& unit = ledger_[point];
    claim(unit.done + unit.failed == 1,
          "unit " + std::to_string(point) + " is recorded " + std::to_string(unit.done + unit.failed) + " times");
  }

  // --- workers
  void start_worker(int number) {
    WorkerOptions options;
    options.lease = 15;
    options.silence_limit = 2;
    options.start_limit = 5;
    options.start_backoff = 0.1;
    options.start_attempts = 1000;
    Rank& started = rank(number);
    started.worker = std::make_unique<Worker>(options, HelloMessage{"host", number, ""});
    perform(number, started.worker->start(clock()));
    tick_worker(number);
  }

  bool gone(int number) { return rank(number).lost || rank(number).worker->finished(); }

  /// Runs `call` in the worker, later where it is paused.
  void in_worker(int number, std::function<WorkerActions()> call) {
    if (gone(number)) return;
    if (now_ < rank(number).paused_until) {
      at(rank(number).paused_until, [this, number, call = std::move(call)] { in_worker(number, call); });
      return;
    }
    perform(number, call());
  }

  void tick_worker(int number) {
    if (gone(number)) return;
    if (now_ >= rank(number).paused_until) {
      look_at_executor(number);
      in_worker(number, [this, number] { return rank(number).worker->on_tick(clock()); });
    }
    at(std::max(now_ + tick, rank(number).paused_until), [this, number] { tick_worker(number); });
  }

  void deliver_to_worker(int number, const std::string& bytes) {
    in_worker(number,
              [this, number, bytes] { return rank(number).worker->on_message(clock(), decode_message(bytes)); });
  }

  void perform(int number, WorkerActions actions) {
    for (ExecutorCommand& command : actions.executor) obey(number, std::move(command));
    Rank& from = rank(number);
    for (const Message& message : actions.sends) {
      from.link_out = std::max(from.link_out, now_ + delay());
      at(from.link_out, [this, number, bytes = encode_message(message)] { deliver_to_scheduler(number, bytes); });
    }
  }

  // --- executors
  void obey(int number, ExecutorCommand command) {
    Executor& executor = rank(number).executor;
    if (std::holds_alternative<SpawnExecutor>(command)) {
      claim(!executor.alive, "a second executor process is started beside a living one");
      const std::uint64_t process = executor.process + 1;
      executor = Executor();
      executor.process = process;
      executor.alive = true;
    } else if (std::holds_alternative<TellExecutor>(command)) {
      if (executor.alive && !executor.doomed) hear(number, std::get<TellExecutor>(command).message);
    } else if (executor.alive && !executor.doomed) {
      executor.doomed = true;
      later(number, 0.002, [this, number] { die(number, "killed"); });
    }
  }

  /// Something that happens to this executor process, unless another has taken its place.
  void later(int number, double seconds, std::function<void()> happen) {
    const std::uint64_t process = rank(number).executor.process;
    at(now_ + seconds, [this, number, process, happen = std::move(happen)] {
      const Executor& executor = rank(number).executor;
      if (executor.alive && executor.process == process && !rank(number).lost) happen();
    });
  }

  void say(int number, const Message& message) {
    in_worker(number,
              [this, number, message] { return rank(number).worker->on_executor(clock(), ExecutorSaid{message}); });
  }

  void look_at_executor(int number) {
    Executor& executor = rank(number).executor;
    if (!executor.alive) return;
    if (executor.beating) ++executor.heartbeats;
    const ExecutorPulse pulse{executor.started, executor.heartbeats};
    in_worker(number, [this, number, pulse] { return rank(number).worker->on_executor(clock(), pulse); });
  }

  void die(int number, const std::string& how) {
    Executor& executor = rank(number).executor;
    executor.alive = false;
    const ExecutorDied death{executor.started, how, ""};
    in_worker(number, [this, number, death] { return rank(number).worker->on_executor(clock(), death); });
  }

  void hear(int number, const Message& message) {
    Executor& executor = rank(number).executor;
    if (std::holds_alternative<JobMessage>(message)) {
      const bool fails = faulty(plan_.start_failure_rate);
      later(number, 0.05, [this, number, fails] {
        if (fails) return die(number, "at start");
        rank(number).executor.ready = true;
        say(number, HelloMessage{});
      });
    } else if (const auto* work = std::get_if<WorkMessage>(&message)) {
      claim(executor.ready, "work is sent to an executor that is not ready");
      executor.tasks.insert(executor.tasks.end(), work->tasks.begin(), work->tasks.end());
      begin_next(number);
    } else if (std::holds_alternative<RecallMessage>(message)) {
      later(number, 0, [this, number] { return_tasks(number); });
    }
  }

  void return_tasks(int number) {
    Executor& executor = rank(number).executor;
    ReturnedMessage returned;
    for (const Task& task : executor.tasks) returned.ids.push_back(task.id);
    executor.tasks.clear();
    flush(number);
    say(number, returned);
  }

  void flush(int number) {
    OutcomesMessage& unsent = rank(number).executor.unsent;
    if (!unsent.outcomes.empty()) say(number, std::exchange(unsent, {}));
  }

  void begin_next(int number) {
    Executor& executor = rank(number).executor;
    if (executor.working || executor.doomed || executor.tasks.empty()) return;
    if (faulty(plan_.idle_death_rate)) {
      ++ledger_[executor.tasks.front().unit.point].blows;
      if (!executor.unsent.outcomes.empty()) ++ledger_[executor.unsent.outcomes.back().result.unit.point].blows;
      return die(number, "between units");
    }
    executor.working = true;
    executor.current = executor.tasks.front();
    executor.tasks.pop_front();
    executor.started = executor.current.id;
    ++executor.heartbeats;
    const std::uint64_t point = executor.current.unit.point;
    const double seconds = units_->cost(executor.current.unit) * (0.8 + 0.4 * plan_.uniform());
    executor.beating = true;
    if (number == plan_.faulty_worker) ++faulty_attempts_;
    if (number == plan_.faulty_worker || poison_.contains(point) || faulty(plan_.crash_rate)) {
      later(number, seconds * plan_.uniform(), [this, number, point] {
        ++ledger_[point].blows;
        die(number, "crashed");
      });
    } else if (faulty(plan_.hang_rate)) {
      ++ledger_[point].blows;
      executor.beating = plan_.flip();  // without progress, or without a sign of life
    } else {
      const bool throws = faulty(plan_.throw_rate);
      later(number, seconds, [this, number, seconds, throws] { end_unit(number, seconds, throws); });
    }
  }

  void end_unit(int number, double seconds, bool throws) {
    Executor& executor = rank(number).executor;
    if (executor.doomed) return;
    Outcome outcome{executor.current.id, {}};
    outcome.result.unit = executor.current.unit;
    outcome.result.seconds = seconds;
    if (throws) {
      ++ledger_[executor.current.unit.point].blows;
      outcome.result.status = UnitStatus::failed;
      outcome.result.reason = "thrown";
    } else {
      outcome.result.metrics["value"].count = executor.current.unit.point + (number == plan_.liar ? lie : 0);
    }
    executor.unsent.outcomes.push_back(std::move(outcome));
    executor.working = executor.beating = false;
    if (executor.tasks.empty() || plan_.flip()) flush(number);
    begin_next(number);
  }

  Coverage& coverage_;
  Plan plan_;
  SchedulerBug bug_;
  double messages_ = 0;
  std::vector<Ledger> ledger_;
  std::set<std::uint64_t> poison_;
  double now_ = 0;
  double faults_end_ = 0;
  std::priority_queue<Event> events_;
  std::uint64_t event_number_ = 0;
  std::unique_ptr<Units> units_;
  std::unique_ptr<Scheduler> scheduler_;
  bool rank0_killed_ = false;
  double rank0_paused_until_ = 0;
  std::deque<std::uint64_t> unsynced_;  ///< points of results in the journal that a crash may take
  double disk_full_until_ = 0;
  bool held_ = false;
  std::map<std::uint64_t, std::uint64_t> done_values_;  ///< of this run's results
  bool conflict_ = false;
  int faulty_attempts_ = 0;    ///< units begun at the broken device
  std::uint64_t retired_ = 0;  ///< workers sent home in this run
  std::vector<Rank> ranks_;
};

/// What went wrong with this seed; empty where all claims hold.
inline std::string violation(std::uint64_t seed, SchedulerBug bug, Coverage& coverage) {
  try {
    Simulation(seed, bug, coverage).run();
    return "";
  } catch (const std::exception& error) {
    return "seed " + std::to_string(seed) + ": " + error.what();
  }
}

struct Findings {
  std::string violation;  ///< the first one
  Coverage coverage;
};

/// Runs `count` seeds from `first`, up to a violation. CROSSGRID_SIMULATION_SEED=n replays that seed alone.
inline Findings simulate(std::uint64_t first, std::uint64_t count, SchedulerBug bug = SchedulerBug::none) {
  Findings findings;
  if (const char* text = std::getenv("CROSSGRID_SIMULATION_SEED")) {
    first = std::stoull(text);
    count = 1;
  }
  for (std::uint64_t seed = first; seed < first + count && findings.violation.empty(); ++seed) {
    findings.violation = violation(seed, bug, findings.coverage);
    if (!findings.violation.empty()) {
      findings.violation += " (replay: CROSSGRID_SIMULATION_SEED=" + std::to_string(seed) +
                            " build/release/test_engine --gtest_filter=SchedulerSimulation.RecordsEachUnitOnce*)";
    }
  }
  return findings;
}

}  // namespace crossgrid::simulation
