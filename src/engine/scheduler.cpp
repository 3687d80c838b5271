#include "crossgrid/engine/scheduler.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "crossgrid/base/id128.hpp"

namespace crossgrid {
namespace {

constexpr double memory_of_measurements = 0.99;  // weight that one more unit leaves to those before it
constexpr double rate_window = 30;               // [s]
constexpr double rate_step = 0.5;                // [s]
constexpr double longest_retry_wait = 60;        // [s]

/// The same for results with equal metrics, whatever attempt or process they come from.
std::uint64_t fingerprint(UnitResult result) {
  result.seconds = 0;
  result.megabytes = 0;
  result.attempts = 0;
  OutcomesMessage message;
  message.outcomes.push_back({0, std::move(result)});
  const std::string bytes = encode_message(message);
  return hash_bytes(bytes.data(), bytes.size()).low;
}

std::string units_text(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " unit" : " units");
}

}  // namespace

Scheduler::Scheduler(const SchedulerOptions& options, UnitSource& source, std::string job, SchedulerBug bug)
    : options_(options), source_(source), job_(std::move(job)), bug_(bug) {
  if (options_.workers < 1) throw Error(ExitCode::internal, "a run needs at least one worker");
  workers_.resize(static_cast<std::size_t>(options_.workers));
}

SchedulerActions Scheduler::on_message(Time now, int from, Message message) {
  SchedulerActions actions;
  lived_ = lived_clock_.at(now);
  if (from < 1 || from > options_.workers) return actions;
  hear(from, actions);
  const bool alone = concerns_sender_only(message);
  const std::uint64_t attempts = retried_ + failed_;
  if (std::holds_alternative<HelloMessage>(message)) {
    worker(from).hello = std::get<HelloMessage>(std::move(message));
    warn_once(worker(from).hello.warning, actions);
    send(from, JobMessage{job_}, actions);
  } else if (auto* outcomes = std::get_if<OutcomesMessage>(&message)) {
    take_outcomes(from, outcomes->outcomes, actions);
  } else if (auto* returned = std::get_if<ReturnedMessage>(&message)) {
    take_returned(from, returned->ids);
  } else if (auto* pulse = std::get_if<PulseMessage>(&message)) {
    worker(from).in_flight = pulse->in_flight;
  } else if (auto* broken = std::get_if<BrokenMessage>(&message)) {
    take_broken(from, *broken, actions);
  } else if (std::holds_alternative<ByeMessage>(message)) {
    worker(from).said_bye = true;
    if (worker(from).standing != Standing::broken) worker(from).standing = Standing::gone;
    give_back_all(worker(from), false);
  }
  if (alone && attempts == retried_ + failed_ && closed() < source_.total()) {
    if (end_ == EngineEnd::running && !held_) serve(from, actions);
  } else {
    settle(actions);
  }
  return actions;
}

/// Thousands of workers each tell of their units: what others make of that waits for the next tick.
bool Scheduler::concerns_sender_only(const Message& message) const {
  const bool usual = std::holds_alternative<OutcomesMessage>(message) || std::holds_alternative<PulseMessage>(message);
  return usual && end_ == EngineEnd::running && !draining_;
}

SchedulerActions Scheduler::on_tick(Time now) {
  SchedulerActions actions;
  lived_ = lived_clock_.at(now);
  lose_silent_workers(actions);
  note_rate();
  settle(actions);
  return actions;
}

SchedulerActions Scheduler::stop(Time now, double grace) {
  SchedulerActions actions;
  lived_ = lived_clock_.at(now);
  if (end_ != EngineEnd::running) return actions;
  if (!draining_) {
    draining_ = true;
    for (int number = 1; number <= options_.workers; ++number) {
      if (worker(number).standing == Standing::alive && !worker(number).held.empty()) {
        worker(number).recalled = true;
        send(number, RecallMessage{}, actions);
      }
    }
  }
  drain_until_ = lived_ + from_seconds(grace);
  settle(actions);
  return actions;
}

/// Many workers may have the same to say.
void Scheduler::warn_once(const std::string& warning, SchedulerActions& actions) {
  if (!warning.empty() && warned_.insert(warning).second) actions.warnings.push_back(warning);
}

/// A word from a worker, of whatever kind: it lives.
void Scheduler::hear(int from, SchedulerActions& actions) {
  WorkerState& state = worker(from);
  state.heard = lived_;
  if (state.standing == Standing::lost) {
    actions.warnings.push_back("worker " + std::to_string(from) + " is back");
    // What it still has from before was given to others: it must not start it.
    state.recalled = true;
    send(from, RecallMessage{}, actions);
    if (farewell_sent_) send(from, StopMessage{}, actions);
  }
  if (state.standing == Standing::lost || state.standing == Standing::expected) state.standing = Standing::alive;
}

void Scheduler::take_outcomes(int from, std::vector<Outcome>& outcomes, SchedulerActions& actions) {
  WorkerState& state = worker(from);
  state.busy_since = lived_;
  for (Outcome& outcome : outcomes) {
    release(state, outcome.id);
    const auto found = open_.find(outcome.id);
    if (found == open_.end()) {
      drop_duplicate(from, outcome, actions);
    } else if (outcome.result.status == UnitStatus::failed) {
      charge(from, outcome.id, std::move(outcome.result), actions);
    } else {
      note_success(from, found->second, actions);
      const OpenUnit& unit = found->second;
      measured_seconds_ = memory_of_measurements * measured_seconds_ + std::max(outcome.result.seconds, 0.0);
      measured_cost_ = memory_of_measurements * measured_cost_ + unit.planned.cost;
      outcome.result.unit = unit.planned.unit;
      outcome.result.cost = unit.planned.cost;
      outcome.result.attempts = unit.failed_attempts + 1;
      outcome.result.host = state.hello.host;
      ++done_;
      close_unit(outcome.id, std::move(outcome.result), actions);
    }
  }
}

void Scheduler::close_unit(UnitId id, UnitResult result, SchedulerActions& actions) {
  const auto found = open_.find(id);
  if (found->second.times_lent > 1) {
    if (result.status == UnitStatus::done) closed_relent_[id] = {fingerprint(result), result.host};
  }
  if (found->second.waiting) --waiting_;
  open_.erase(found);
  actions.results.push_back(std::move(result));
}

/// A second result of a unit: valid, but the unit is closed already.
void Scheduler::drop_duplicate(int from, const Outcome& outcome, SchedulerActions& actions) {
  if (outcome.result.status == UnitStatus::failed) return;
  ++duplicates_;
  if (bug_ == SchedulerBug::duplicates_accepted) actions.results.push_back(outcome.result);
  const auto kept = closed_relent_.find(outcome.id);
  if (kept == closed_relent_.end() || kept->second.fingerprint == fingerprint(outcome.result)) return;
  if (bug_ == SchedulerBug::conflicts_overlooked) return;
  const Unit& unit = outcome.result.unit;
  message_ = "two workers gave unequal results of one unit: point " + std::to_string(unit.point) + ", trial " +
             std::to_string(unit.trial) + ", images " + std::to_string(unit.first) + " to " +
             std::to_string(unit.first + unit.count - 1) + "; the first, from host '" + kept->second.host +
             "', is in the journal, the second, from host '" + worker(from).hello.host +
             "', is not. Results must not depend on the host: check the memory and the processor of both, and start "
             "anew in another folder";
  refusal_code_ = ExitCode::bad_input;
  end_run(EngineEnd::refused, actions);
}

/// A unit was done: the failures that others had with it were not its own.
void Scheduler::note_success(int from, const OpenUnit& unit, SchedulerActions& actions) {
  worker(from).refuted = 0;
  if (unit.failure == nullptr || bug_ == SchedulerBug::faulty_workers_kept) return;
  for (const int number : unit.failure->workers) {
    if (number == from || worker(number).standing != Standing::alive) continue;
    if (++worker(number).refuted >= options_.retire_after) retire(number, unit.failure->last.reason, actions);
  }
}

/// Its device is broken: what fails there is done elsewhere. The worker that has just shown so is left.
void Scheduler::retire(int number, const std::string& reason, SchedulerActions& actions) {
  WorkerState& state = worker(number);
  state.standing = Standing::broken;
  give_back_all(state, false);
  send(number, StopMessage{}, actions);
  actions.warnings.push_back("worker " + std::to_string(number) + " (" + state.hello.host +
                             ") is sent home: " + std::to_string(options_.retire_after) +
                             " units in a row failed there and were then done by others; the last: " + reason);
}

/// One attempt at a unit failed.
void Scheduler::charge(int from, UnitId id, UnitResult result, SchedulerActions& actions) {
  OpenUnit& unit = open_.at(id);
  if (bug_ != SchedulerBug::attempts_not_counted) ++unit.failed_attempts;
  if (unit.failure == nullptr) unit.failure = std::make_unique<Failure>();
  unit.failure->last = std::move(result);
  unit.failure->last.host = worker(from).hello.host;
  std::vector<int>& workers = unit.failure->workers;
  if (std::ranges::find(workers, from) == workers.end()) workers.push_back(from);
  if (unit.failed_attempts > static_cast<std::uint32_t>(options_.retries)) {
    record_failed(id, actions);
  } else {
    ++retried_;
    requeue(id, true);
  }
}

void Scheduler::record_failed(UnitId id, SchedulerActions& actions) {
  OpenUnit& unit = open_.at(id);
  UnitResult result = std::move(unit.failure->last);
  result.unit = unit.planned.unit;
  result.cost = unit.planned.cost;
  result.status = UnitStatus::failed;
  result.attempts = unit.failed_attempts;
  ++failed_;
  close_unit(id, std::move(result), actions);
}

/// The worker no longer has the unit.
void Scheduler::release(WorkerState& state, UnitId id) {
  // Also where the unit was given to others meanwhile: lent to this worker again, it is not in flight before it starts.
  if (state.in_flight == id) state.in_flight = no_unit;
  const auto lent = state.held.find(id);
  if (lent == state.held.end()) return;
  state.held_cost -= lent->second;
  state.held.erase(lent);
  if (state.held.empty()) state.held_cost = 0;  // no rounding error is carried on
  const auto found = open_.find(id);
  if (found != open_.end()) --found->second.holders;
}

/// Puts an open unit that nobody works on back in line.
void Scheduler::requeue(UnitId id, bool suspect) {
  OpenUnit& unit = open_.at(id);
  if (unit.holders > 0 || unit.waiting) return;
  unit.waiting = true;
  ++waiting_;
  if (!suspect && unit.failed_attempts == 0) {
    pool_.push_back(id);
    return;
  }
  // A lost worker is no reason to wait, a failed attempt is: what made it fail may pass (memory, a device that resets).
  const double wait =
      unit.failed_attempts == 0 ? 0 : std::ldexp(options_.retry_wait, static_cast<int>(unit.failed_attempts) - 1);
  suspects_.emplace(lived_ + from_seconds(std::min(wait, longest_retry_wait)), id);
}

void Scheduler::give_back_all(WorkerState& state, bool suspect) {
  const std::map<UnitId, double> held = state.held;
  for (const auto& [id, cost] : held) {
    release(state, id);
    if (open_.contains(id)) requeue(id, suspect);
  }
  state.recalled = false;
  pool_.insert(pool_.end(), state.run.begin(), state.run.end());
  state.run.clear();
}

void Scheduler::take_returned(int from, const std::vector<UnitId>& ids) {
  WorkerState& state = worker(from);
  state.recalled = false;
  for (const UnitId id : ids) {
    if (!state.held.contains(id)) continue;
    release(state, id);
    if (open_.contains(id) && bug_ != SchedulerBug::returned_units_forgotten) requeue(id, false);
  }
}

void Scheduler::take_broken(int from, const BrokenMessage& broken, SchedulerActions& actions) {
  worker(from).standing = Standing::broken;
  give_back_all(worker(from), false);
  if (end_ != EngineEnd::running) return;
  message_ = broken.text;
  refusal_code_ = broken.code;
  if (broken.what == Broken::run) {
    end_run(EngineEnd::refused, actions);
  } else {
    actions.warnings.push_back("worker " + std::to_string(from) + " (" + worker(from).hello.host +
                               ") gives up: " + broken.text);
  }
}

void Scheduler::lose_silent_workers(SchedulerActions& actions) {
  if (bug_ == SchedulerBug::lease_never_lapses) return;
  const Time lease = from_seconds(options_.lease);
  for (int number = 1; number <= options_.workers; ++number) {
    WorkerState& state = worker(number);
    const bool awaited = state.standing == Standing::alive || state.standing == Standing::expected;
    if (!awaited || lived_ - state.heard <= lease) continue;
    state.standing = Standing::lost;
    const UnitId in_flight = state.in_flight;
    const bool charged = state.held.contains(in_flight) && open_.contains(in_flight);
    actions.warnings.push_back("worker " + std::to_string(number) + (state.hello.host.empty() ? "" : " on ") +
                               state.hello.host + " has been silent for " +
                               std::to_string(static_cast<int>(options_.lease)) + " s: its " +
                               units_text(state.held.size()) + " go to others");
    if (charged) {
      // It may be this unit that takes whole workers down: it has as many attempts at that as at anything else.
      release(state, in_flight);
      UnitResult lost;
      lost.reason = "worker " + std::to_string(number) + " on " + state.hello.host + " was lost while it ran this";
      charge(number, in_flight, std::move(lost), actions);
    }
    give_back_all(state, true);
  }
}

int Scheduler::living() const {
  return static_cast<int>(std::count_if(workers_.begin(), workers_.end(), [](const WorkerState& state) {
    return state.standing == Standing::alive || state.standing == Standing::expected;
  }));
}

std::vector<int> Scheduler::lost_workers() const {
  std::vector<int> lost;
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    const bool silent = finished_ && !workers_[i].said_bye;
    if (workers_[i].standing == Standing::lost || silent) lost.push_back(static_cast<int>(i) + 1);
  }
  return lost;
}

/// Some worker that is told to end, and that may live, has not said that it did.
bool Scheduler::farewells_due() const {
  return std::any_of(workers_.begin(), workers_.end(),
                     [](const WorkerState& state) { return state.standing != Standing::lost && !state.said_bye; });
}

/// What follows from any change: work for those who wait, and the end when it has come.
void Scheduler::settle(SchedulerActions& actions) {
  living_ = std::max(living(), 1);
  if (end_ == EngineEnd::running) {
    if (!draining_ && !held_) {
      hand_out(actions);
      recall_hoards(actions);
    }
    check_end(actions);
  }
  if (end_ != EngineEnd::running && (!farewells_due() || lived_ >= farewell_until_)) finished_ = true;
  keep_company(actions);
}

void Scheduler::check_end(SchedulerActions& actions) {
  if (closed() == source_.total()) {
    // A sink that failed makes nothing durable any more: who stops the run does not wait for it.
    if (durable_ == closed() || bug_ == SchedulerBug::ends_before_durable) {
      if (!source_.next_round()) {
        end_run(EngineEnd::complete, actions);
      } else if (draining_) {
        end_run(EngineEnd::stopped, actions);
      } else if (!held_) {
        hand_out(actions);
      }
    } else if (draining_ && lived_ >= drain_until_) {
      end_run(EngineEnd::stopped, actions);
    }
    return;
  }
  if (draining_) {
    const bool idle = std::all_of(workers_.begin(), workers_.end(), [](const WorkerState& state) {
      return state.standing != Standing::alive || state.held.empty();
    });
    if (idle || lived_ >= drain_until_) end_run(EngineEnd::stopped, actions);
    return;
  }
  check_workers_left(actions);
}

void Scheduler::check_workers_left(SchedulerActions& actions) {
  const Time patience = from_seconds(3 * options_.lease);
  for (const WorkerState& state : workers_) {
    if (state.standing == Standing::alive || state.standing == Standing::expected) return;
    if (state.standing == Standing::lost && lived_ - state.heard <= patience) return;
  }
  if (message_.empty()) message_ = "no worker is left";
  end_run(EngineEnd::workers_lost, actions);
}

void Scheduler::end_run(EngineEnd end, SchedulerActions& actions) {
  end_ = end;
  farewell_sent_ = true;
  farewell_until_ = lived_ + from_seconds(options_.farewell);
  for (int number = 1; number <= options_.workers; ++number) {
    const Standing standing = worker(number).standing;
    if (standing == Standing::alive || standing == Standing::expected) send(number, StopMessage{}, actions);
  }
}

void Scheduler::keep_company(SchedulerActions& actions) {
  for (int number = 1; number <= options_.workers; ++number) {
    const WorkerState& state = worker(number);
    const bool awaited = state.standing == Standing::alive || state.standing == Standing::expected;
    if (awaited && lived_ - state.told >= from_seconds(options_.heartbeat)) send(number, AliveMessage{}, actions);
  }
}

void Scheduler::send(int to, Message message, SchedulerActions& actions) {
  worker(to).told = lived_;
  actions.sends.push_back({to, std::move(message)});
}

void Scheduler::note_rate() {
  if (!rate_marks_.empty() && lived_ - rate_marks_.back().first < from_seconds(rate_step)) return;
  rate_marks_.emplace_back(lived_, closed());
  while (rate_marks_.size() > 2 && lived_ - rate_marks_.front().first > from_seconds(rate_window)) {
    rate_marks_.pop_front();
  }
}

EngineProgress Scheduler::progress() const {
  EngineProgress progress;
  progress.total = source_.total();
  progress.done = done_;
  progress.failed = failed_;
  progress.durable = durable_;
  progress.retried = retried_;
  progress.duplicates = duplicates_;
  for (const WorkerState& state : workers_) {
    progress.in_flight += state.held.size();
    if (state.standing == Standing::alive) ++progress.workers;
    if (state.standing == Standing::lost) ++progress.lost_workers;
  }
  progress.seconds = to_seconds(lived_);
  if (!rate_marks_.empty() && lived_ > rate_marks_.front().first) {
    progress.rate =
        static_cast<double>(closed() - rate_marks_.front().second) / to_seconds(lived_ - rate_marks_.front().first);
  }
  const auto left = static_cast<double>(progress.total - closed());
  progress.eta = left == 0 ? 0 : progress.rate > 0 ? left / progress.rate : std::numeric_limits<double>::infinity();
  return progress;
}

}  // namespace crossgrid
