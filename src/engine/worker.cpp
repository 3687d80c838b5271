#include "crossgrid/engine/worker.hpp"

#include <algorithm>
#include <cmath>

namespace crossgrid {
namespace {

constexpr double longest_start_backoff = 10;  // [s]

std::string seconds_text(double seconds) {
  std::string text = std::to_string(seconds);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text + " s";
}

}  // namespace

Worker::Worker(const WorkerOptions& options, HelloMessage hello) : options_(options), hello_(std::move(hello)) {}

WorkerActions Worker::start(Time now) {
  WorkerActions actions;
  lived_ = lived_clock_.at(now);
  heard_ = lived_;
  send(hello_, actions);
  return actions;
}

WorkerActions Worker::on_message(Time now, Message message) {
  WorkerActions actions;
  lived_ = lived_clock_.at(now);
  heard_ = lived_;
  if (auto* job = std::get_if<JobMessage>(&message)) {
    job_ = std::move(job->text);
    have_job_ = true;
  } else if (auto* work = std::get_if<WorkMessage>(&message)) {
    take_work(work->tasks);
  } else if (std::holds_alternative<RecallMessage>(message)) {
    take_recall(actions);
  } else if (std::holds_alternative<StopMessage>(message)) {
    end(actions);
  }
  advance(actions);
  return actions;
}

WorkerActions Worker::on_executor(Time now, ExecutorEvent event) {
  WorkerActions actions;
  lived_ = lived_clock_.at(now);
  if (auto* said = std::get_if<ExecutorSaid>(&event)) {
    take_said(std::move(said->message), actions);
  } else if (auto* pulse = std::get_if<ExecutorPulse>(&event)) {
    take_pulse(*pulse);
  } else {
    take_death(std::get<ExecutorDied>(event), actions);
  }
  advance(actions);
  return actions;
}

WorkerActions Worker::on_tick(Time now) {
  WorkerActions actions;
  lived_ = lived_clock_.at(now);
  if (!finished_ && !ending_ && lived_ - heard_ > from_seconds(options_.lease)) {
    complaint_ = "rank 0 has been silent for " + seconds_text(options_.lease);
    end(actions);
  }
  check_limits(actions);
  advance(actions);
  if (!finished_ && lived_ - told_ >= from_seconds(options_.heartbeat)) send(PulseMessage{in_flight_}, actions);
  return actions;
}

/// A unit that is here already is not taken twice: rank 0 had given this worker up for lost and lends it the unit
/// again.
void Worker::take_work(const std::vector<Task>& tasks) {
  for (const Task& task : tasks) {
    const bool here = std::ranges::find(batch_, task.id, &Task::id) != batch_.end() ||
                      std::ranges::find(queue_, task.id, &Task::id) != queue_.end();
    if (!here) queue_.push_back(task);
  }
}

void Worker::take_recall(WorkerActions& actions) {
  for (const Task& task : queue_) to_return_.push_back(task.id);
  queue_.clear();
  if (recalling_) return;
  if (process_ == Process::ready && !batch_.empty()) {
    actions.executor.push_back(TellExecutor{RecallMessage{}});
    recalling_ = true;
  } else {
    // Nothing is with an executor that could answer; one that is being killed gives back all by its death.
    recalling_ = process_ == Process::dying && !batch_.empty();
    if (!recalling_) answer_recall(actions);
  }
}

void Worker::take_said(Message message, WorkerActions& actions) {
  beat_since_ = lived_;
  if (std::holds_alternative<HelloMessage>(message)) {
    if (process_ == Process::starting) process_ = Process::ready;
  } else if (auto* outcomes = std::get_if<OutcomesMessage>(&message)) {
    take_outcomes(std::move(*outcomes), actions);
  } else if (auto* returned = std::get_if<ReturnedMessage>(&message)) {
    std::erase_if(batch_,
                  [&](const Task& task) { return std::ranges::find(returned->ids, task.id) != returned->ids.end(); });
    to_return_.insert(to_return_.end(), returned->ids.begin(), returned->ids.end());
    answer_recall(actions);
  } else if (auto* broken = std::get_if<BrokenMessage>(&message)) {
    if (broken->what != Broken::process) {
      break_down(std::move(*broken), actions);
    } else if (kill_reason_.empty()) {
      kill_reason_ = std::move(broken->text);  // why it is about to end
    }
  }
}

void Worker::take_outcomes(OutcomesMessage outcomes, WorkerActions& actions) {
  failed_starts_ = 0;
  for (const Outcome& outcome : outcomes.outcomes) {
    // Executors work in order: it is the first one nearly always.
    const auto task = std::ranges::find(batch_, outcome.id, &Task::id);
    if (task != batch_.end()) batch_.erase(task);
    if (in_flight_ == outcome.id) in_flight_ = no_unit;
  }
  send(std::move(outcomes), actions);
}

void Worker::take_pulse(const ExecutorPulse& pulse) {
  if (pulse.heartbeats == heartbeats_) return;
  heartbeats_ = pulse.heartbeats;
  beat_since_ = lived_;
  // The mark stays at a unit that has ended until the next one starts: such a unit is not in flight.
  const bool open = std::ranges::find(batch_, pulse.started, &Task::id) != batch_.end();
  if (!open || pulse.started == in_flight_) return;
  in_flight_ = pulse.started;
  in_flight_since_ = lived_;
}

void Worker::take_death(const ExecutorDied& death, WorkerActions& actions) {
  const bool was_ready = process_ == Process::ready || (process_ == Process::dying && !batch_.empty());
  const std::string killed = std::exchange(kill_reason_, {});
  const std::string why = killed.empty() ? death.how : killed;
  process_ = Process::absent;
  in_flight_ = no_unit;
  if (ending_) return;
  if (was_ready && !batch_.empty()) {
    blame(death, why, actions);
  } else {
    fail_start(death.log.empty() ? why : why + "; its last lines:\n" + death.log, actions);
  }
  if (recalling_) {
    for (const Task& task : batch_) to_return_.push_back(task.id);
    answer_recall(actions);
  } else {
    queue_.insert(queue_.begin(), batch_.begin(), batch_.end());
  }
  batch_.clear();
}

/// Charges one unit of the batch with the executor's death.
void Worker::blame(const ExecutorDied& death, const std::string& why, WorkerActions& actions) {
  // The unit in flight is to blame. Where none is marked, the first without a result is: somebody must be, or a process
  // that dies between units would be started for ever.
  auto blamed = std::ranges::find(batch_, death.started, &Task::id);
  if (blamed == batch_.end()) blamed = batch_.begin();
  OutcomesMessage charge;
  Outcome& outcome = charge.outcomes.emplace_back();
  outcome.id = blamed->id;
  outcome.result.unit = blamed->unit;
  outcome.result.status = UnitStatus::failed;
  outcome.result.reason = why;
  outcome.result.signal = death.signal;
  outcome.result.log = death.log;
  batch_.erase(blamed);
  send(std::move(charge), actions);
}

void Worker::answer_recall(WorkerActions& actions) {
  recalling_ = false;
  send(ReturnedMessage{std::exchange(to_return_, {})}, actions);
}

/// The executor ended before it could be blamed on a unit: it is tried again later, a few times.
void Worker::fail_start(const std::string& why, WorkerActions& actions) {
  ++failed_starts_;
  if (failed_starts_ >= options_.start_attempts) {
    break_down({"the executor process does not start: " + why, ExitCode::internal, Broken::worker}, actions);
    return;
  }
  const double wait = std::min(std::ldexp(options_.start_backoff, failed_starts_ - 1), longest_start_backoff);
  start_not_before_ = lived_ + from_seconds(wait);
}

void Worker::break_down(BrokenMessage broken, WorkerActions& actions) {
  send(std::move(broken), actions);
  end(actions);
}

void Worker::check_limits(WorkerActions& actions) {
  if (process_ == Process::starting && lived_ - process_since_ > from_seconds(options_.start_limit)) {
    kill("killed: it did not load the job in " + seconds_text(options_.start_limit), actions);
  }
  if (process_ != Process::ready || batch_.empty()) return;
  if (lived_ - beat_since_ > from_seconds(options_.silence_limit)) {
    kill("killed: no sign of life for " + seconds_text(options_.silence_limit), actions);
    return;
  }
  const auto task = std::ranges::find(batch_, in_flight_, &Task::id);
  if (task == batch_.end()) return;
  if (lived_ - in_flight_since_ > from_seconds(task->time_limit)) {
    kill("killed: not done in its time limit of " + seconds_text(task->time_limit), actions);
  }
}

void Worker::kill(std::string why, WorkerActions& actions) {
  kill_reason_ = std::move(why);
  process_ = Process::dying;
  actions.executor.push_back(KillExecutor{});
}

/// Ends the executor, at once where it is in the middle of something that nobody waits for any more.
void Worker::end(WorkerActions& actions) {
  if (ending_) return;
  ending_ = true;
  queue_.clear();
  end_by_ = lived_ + from_seconds(options_.close_limit);
  if (process_ == Process::ready && batch_.empty()) {
    actions.executor.push_back(CloseExecutor{});
  } else if (process_ == Process::ready || process_ == Process::starting) {
    kill("killed: the run ended", actions);
  }
}

void Worker::advance(WorkerActions& actions) {
  if (finished_) return;
  if (ending_) {
    if (process_ == Process::absent) {
      finished_ = true;
      send(ByeMessage{}, actions);
    } else if (process_ != Process::dying && lived_ > end_by_) {
      kill("killed: it did not end by itself", actions);
    }
    return;
  }
  if (process_ == Process::absent && have_job_ && lived_ >= start_not_before_) {
    process_ = Process::starting;
    process_since_ = lived_;
    heartbeats_ = 0;
    actions.executor.push_back(SpawnExecutor{});
    actions.executor.push_back(TellExecutor{JobMessage{job_}});
  }
  if (process_ == Process::ready && !queue_.empty()) {
    if (batch_.empty()) beat_since_ = lived_;
    WorkMessage work;
    work.tasks.assign(queue_.begin(), queue_.end());
    batch_.insert(batch_.end(), queue_.begin(), queue_.end());
    queue_.clear();
    actions.executor.push_back(TellExecutor{std::move(work)});
  }
}

void Worker::send(Message message, WorkerActions& actions) {
  told_ = lived_;
  actions.sends.push_back(std::move(message));
}

}  // namespace crossgrid
