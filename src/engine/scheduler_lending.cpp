// The part of the scheduler that decides who gets what: runs of the source, batches, recalls.
#include <algorithm>
#include <cmath>
#include <utility>

#include "crossgrid/engine/scheduler.hpp"

namespace crossgrid {
namespace {

constexpr std::size_t longest_run = 1024;  // units of the source that one worker has claim to
constexpr std::uint64_t tail_share = 4;    // a batch is at most this part of what is left per worker

}  // namespace

/// [s]; zero while nothing has been measured.
double Scheduler::predicted_seconds(double cost) const {
  return measured_cost_ > 0 ? measured_seconds_ / measured_cost_ * cost : 0;
}

/// Predicted work of the worker from now on. The unit in flight counts with what it has not used up yet.
double Scheduler::outstanding_seconds(const WorkerState& state) const {
  if (state.held.empty()) return 0;
  return predicted_seconds(state.held_cost) - std::min(first_seconds(state), to_seconds(lived_ - state.busy_since));
}

/// Predicted run time of the unit in flight, as the mean over what the worker has.
double Scheduler::first_seconds(const WorkerState& state) const {
  return predicted_seconds(state.held_cost) / static_cast<double>(state.held.size());
}

bool Scheduler::wants_work(const WorkerState& state) const {
  if (state.standing != Standing::alive || state.hello.process == 0 || state.recalled) return false;
  if (state.held.empty()) return true;
  const double overdue = to_seconds(lived_ - state.busy_since) - first_seconds(state);
  if (overdue > options_.steal_after) return false;  // stuck: what it was given now it would be asked to give back
  return measured_cost_ > 0 && state.held.size() <= static_cast<std::size_t>(options_.batch_units) &&
         outstanding_seconds(state) < options_.batch_seconds;
}

/// Those who have nothing are served first.
void Scheduler::hand_out(SchedulerActions& actions) {
  for (const bool empty_handed : {true, false}) {
    for (int number = 1; number <= options_.workers; ++number) {
      if (worker(number).held.empty() == empty_handed) serve(number, actions);
    }
  }
}

void Scheduler::serve(int number, SchedulerActions& actions) {
  while (wants_work(worker(number))) {
    const bool had_nothing = worker(number).held.empty();
    if (!send_batch(number, actions) || had_nothing) return;
  }
}

/// A suspect alone, so that it harms nobody else; else the next units of the worker's run. False when there is nothing.
bool Scheduler::send_batch(int number, SchedulerActions& actions) {
  WorkerState& state = worker(number);
  if (state.held.empty()) state.busy_since = lived_;
  WorkMessage work;
  if (const auto suspect = next_suspect(number)) {
    work.tasks.push_back(lend(state, *suspect));
  } else {
    double seconds = 0;
    const std::size_t most = batch_limit();
    while (work.tasks.size() < most && (work.tasks.empty() || seconds < options_.batch_seconds)) {
      if (state.run.empty() && (!work.tasks.empty() || !refill(state))) break;
      const UnitId id = state.run.front();
      state.run.pop_front();
      const auto found = open_.find(id);
      if (found == open_.end()) continue;  // closed by a late result
      seconds += predicted_seconds(found->second.planned.cost);
      work.tasks.push_back(lend(state, id));
    }
  }
  if (work.tasks.empty()) return false;
  send(number, std::move(work), actions);
  return true;
}

std::optional<UnitId> Scheduler::next_suspect(int number) {
  for (auto entry = suspects_.begin(); entry != suspects_.end() && entry->first <= lived_;) {
    const auto [due, id] = *entry;
    const auto found = open_.find(id);
    if (found != open_.end() && !may_try(number, found->second, due)) {
      ++entry;
      continue;
    }
    entry = suspects_.erase(entry);
    if (found != open_.end()) return id;  // else closed by a late result
  }
  return std::nullopt;
}

/// A unit that failed somewhere is tried elsewhere first: that tells a bad unit from a bad device. Where nobody else
/// comes for it within a lease, whoever asks has it.
bool Scheduler::may_try(int number, const OpenUnit& unit, Time due) const {
  if (unit.failure == nullptr || lived_ - due >= from_seconds(options_.lease)) return true;
  const std::vector<int>& failed = unit.failure->workers;
  if (std::ranges::find(failed, number) == failed.end()) return true;
  for (int other = 1; other <= options_.workers; ++other) {
    const bool alive = workers_[static_cast<std::size_t>(other - 1)].standing == Standing::alive;
    if (alive && std::ranges::find(failed, other) == failed.end()) return false;
  }
  return true;
}

Task Scheduler::lend(WorkerState& state, UnitId id) {
  OpenUnit& unit = open_.at(id);
  if (std::exchange(unit.waiting, false)) --waiting_;
  ++unit.holders;
  ++unit.times_lent;
  state.held.emplace(id, unit.planned.cost);
  state.held_cost += unit.planned.cost;
  return {id, unit.planned.unit, time_limit(unit)};
}

/// [s]. A unit that ran into its limit may just be slow: each further attempt has four times as long.
double Scheduler::time_limit(const OpenUnit& unit) const {
  double limit = options_.first_time_limit;
  if (measured_cost_ > 0) {
    limit = std::max(options_.time_limit, options_.time_limit_factor * predicted_seconds(unit.planned.cost));
  }
  return limit * std::pow(4.0, unit.failed_attempts);
}

/// Most units of the next batch. The first ones, of unknown cost, go out one by one, and so do the last ones.
std::size_t Scheduler::batch_limit() const {
  if (measured_cost_ == 0) return 1;
  const std::uint64_t share = not_handed_out() / (tail_share * static_cast<std::uint64_t>(living_));
  return static_cast<std::size_t>(
      std::clamp<std::uint64_t>(share, 1, static_cast<std::uint64_t>(options_.batch_units)));
}

/// Gives the worker a new stretch of neighbours; false when there is none.
bool Scheduler::refill(WorkerState& state) {
  if (!pool_.empty()) {
    const auto share = (pool_.size() + static_cast<std::size_t>(living_) - 1) / static_cast<std::size_t>(living_);
    const auto end = pool_.begin() + static_cast<std::ptrdiff_t>(std::min(share, longest_run));
    state.run.assign(pool_.begin(), end);
    pool_.erase(pool_.begin(), end);
    return true;
  }
  return refill_from_source(state) || refill_from_others(state);
}

bool Scheduler::refill_from_source(WorkerState& state) {
  if (left_in_source() == 0) return false;
  const auto workers = static_cast<std::uint64_t>(living_);
  const auto share = std::clamp<std::uint64_t>(left_in_source() / (2 * workers), 1, longest_run);
  for (std::uint64_t i = 0; i < share; ++i) {
    const auto planned = source_.next();
    if (!planned) {
      throw Error(ExitCode::internal, "the plan announced " + std::to_string(source_.total()) + " units and has only " +
                                          std::to_string(next_id_));
    }
    OpenUnit unit;
    unit.planned = *planned;
    open_.emplace(next_id_, std::move(unit));
    ++waiting_;
    state.run.push_back(next_id_++);
  }
  return true;
}

/// The source is empty: takes the later half of the longest run.
bool Scheduler::refill_from_others(WorkerState& state) {
  const auto longest = std::max_element(workers_.begin(), workers_.end(),
                                        [](const auto& a, const auto& b) { return a.run.size() < b.run.size(); });
  if (longest->run.empty()) return false;
  const auto kept = static_cast<std::ptrdiff_t>(longest->run.size() / 2);
  state.run.assign(longest->run.begin() + kept, longest->run.end());
  longest->run.erase(longest->run.begin() + kept, longest->run.end());
  return true;
}

/// Where some workers have nothing to do, those that sit on several units for long give back what they have not begun.
void Scheduler::recall_hoards(SchedulerActions& actions) {
  const bool somebody_waits = std::any_of(workers_.begin(), workers_.end(), [this](const WorkerState& state) {
    return state.held.empty() && wants_work(state);
  });
  if (!somebody_waits) return;
  for (int number = 1; number <= options_.workers; ++number) {
    WorkerState& state = worker(number);
    const bool hoards = state.standing == Standing::alive && !state.recalled && state.held.size() > 1;
    const Time quiet_since = std::max(state.busy_since, state.recalled_at);
    if (!hoards || lived_ - quiet_since < from_seconds(options_.steal_after)) continue;
    state.recalled = true;
    state.recalled_at = lived_;
    send(number, RecallMessage{}, actions);
  }
}

}  // namespace crossgrid
