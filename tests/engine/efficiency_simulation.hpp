#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <queue>
#include <random>
#include <stdexcept>
#include <utility>
#include <variant>
#include <vector>

#include "crossgrid/engine/scheduler.hpp"

/// The real scheduler with thousands of workers in virtual time, where nothing fails: how much of their time they work.
namespace crossgrid::efficiency {

/// Run times of units over their mean, at 0, 5, ..., 100 % of them.
using Spread = std::array<double, 21>;

struct Cluster {
  int workers = 1;
  std::uint64_t units_per_worker = 100;
  double mean_seconds = 1;  ///< of a unit
  Spread spread{};
  double link_seconds = 50e-6;     ///< a message's way
  double poll_seconds = 10e-3;     ///< a worker looks for messages at least this often
  double message_seconds = 20e-6;  ///< of rank 0 for each message that it receives or sends, one after the other
};

struct Outline {
  double efficiency = 0;   ///< sum of run times / (workers x time)
  double seconds = 0;      ///< virtual, from the first hand-out to the last result
  double rank0_share = 0;  ///< of rank 0's time that messages take
  std::uint64_t units = 0;
};

/// Run times are drawn between the quantiles of `spread`; the scheduler is told nothing about which units take long.
class Simulation : private UnitSource {
 public:
  Simulation(const Cluster& cluster, std::uint64_t seed) : cluster_(cluster), dice_(seed) {
    const std::uint64_t units = static_cast<std::uint64_t>(cluster.workers) * cluster.units_per_worker;
    double sum = 0;
    for (std::uint64_t unit = 0; unit < units; ++unit) {
      seconds_.push_back(draw());
      sum += seconds_.back();
    }
    for (double& seconds : seconds_) seconds *= cluster.mean_seconds * static_cast<double>(units) / sum;
    workers_.resize(static_cast<std::size_t>(cluster.workers));
  }

  Outline run() {
    SchedulerOptions options;
    options.workers = cluster_.workers;
    Scheduler scheduler(options, *this, "job");
    for (int number = 1; number <= cluster_.workers; ++number) {
      to_rank0(number, HelloMessage{"host", number, ""});
      at(uniform(), [this, number] { pulse(number); });
    }
    tick(scheduler);
    while (scheduler.end() == EngineEnd::running) {
      if (events_.empty()) throw std::runtime_error("nothing happens any more");
      Event event = std::move(const_cast<Event&>(events_.top()));
      events_.pop();
      now_ = event.time;
      event.happen();
      receive(scheduler);
    }
    if (done_ != seconds_.size()) throw std::runtime_error("complete without all units");
    double work = 0;
    for (const double seconds : seconds_) work += seconds;
    return {work / (cluster_.workers * now_), now_, rank0_seconds_ / now_, done_};
  }

 private:
  struct Event {
    double time;
    std::uint64_t number;
    std::function<void()> happen;
    bool operator<(const Event& other) const { return time != other.time ? time > other.time : number > other.number; }
  };
  struct Host {
    std::deque<Task> tasks;
    bool working = false;
    UnitId in_flight = no_unit;
    double link = 0;
  };

  std::optional<PlannedUnit> next() override {
    if (given_ == seconds_.size()) return std::nullopt;
    return PlannedUnit{Unit{given_++, 0, 0, 1}, 1};
  }
  std::uint64_t total() const override { return seconds_.size(); }

  double uniform() { return static_cast<double>(dice_() >> 11) * 0x1p-53; }
  double draw() {
    const double place = uniform() * 20;
    const auto below = static_cast<std::size_t>(place);
    const double part = place - static_cast<double>(below);
    return cluster_.spread[below] * (1 - part) + cluster_.spread[below + 1] * part;
  }

  void at(double time, std::function<void()> happen) { events_.push({time, number_++, std::move(happen)}); }
  Host& host(int number) { return workers_[static_cast<std::size_t>(number - 1)]; }

  void to_rank0(int from, Message message) {
    at(now_ + cluster_.link_seconds,
       [this, from, message = std::move(message)] { inbox_.emplace_back(from, message); });
  }

  /// Rank 0 takes one message after the other; while it is at one, the next ones wait.
  void receive(Scheduler& scheduler) {
    if (inbox_.empty()) return;
    if (now_ < rank0_free_) {
      if (!std::exchange(rank0_called_, true)) at(rank0_free_, [this] { rank0_called_ = false; });
      return;
    }
    auto [from, message] = std::move(inbox_.front());
    inbox_.pop_front();
    busy(cluster_.message_seconds);
    perform(scheduler, scheduler.on_message(from_seconds(now_), from, std::move(message)));
    if (!inbox_.empty() && !std::exchange(rank0_called_, true)) at(rank0_free_, [this] { rank0_called_ = false; });
  }

  void busy(double seconds) {
    rank0_free_ = std::max(rank0_free_, now_) + seconds;
    rank0_seconds_ += seconds;
  }

  void tick(Scheduler& scheduler) {
    perform(scheduler, scheduler.on_tick(from_seconds(now_)));
    at(now_ + 0.05, [this, &scheduler] { tick(scheduler); });
  }

  void perform(Scheduler& scheduler, SchedulerActions actions) {
    done_ += actions.results.size();
    scheduler.on_durable(actions.results.size());
    for (SchedulerActions::Send& send : actions.sends) {
      busy(cluster_.message_seconds);
      double& link = host(send.to).link;  // no message overtakes another
      link = std::max(link, rank0_free_ + cluster_.link_seconds + uniform() * cluster_.poll_seconds);
      at(link, [this, to = send.to, message = std::move(send.message)] { deliver(to, message); });
    }
  }

  void deliver(int number, const Message& message) {
    Host& to = host(number);
    if (const auto* work = std::get_if<WorkMessage>(&message)) {
      to.tasks.insert(to.tasks.end(), work->tasks.begin(), work->tasks.end());
      begin_next(number);
    } else if (std::holds_alternative<RecallMessage>(message)) {
      ReturnedMessage returned;
      for (const Task& task : to.tasks) returned.ids.push_back(task.id);
      to.tasks.clear();
      to_rank0(number, std::move(returned));
    }
  }

  void begin_next(int number) {
    Host& at_work = host(number);
    if (at_work.working || at_work.tasks.empty()) return;
    const Task task = at_work.tasks.front();
    at_work.tasks.pop_front();
    at_work.working = true;
    at_work.in_flight = task.id;
    const double seconds = seconds_[task.unit.point];
    at(now_ + seconds, [this, number, task, seconds] {
      host(number).working = false;
      host(number).in_flight = no_unit;
      Outcome outcome{task.id, {}};
      outcome.result.unit = task.unit;
      outcome.result.seconds = seconds;
      OutcomesMessage message;
      message.outcomes.push_back(std::move(outcome));
      to_rank0(number, std::move(message));
      begin_next(number);
    });
  }

  void pulse(int number) {
    to_rank0(number, PulseMessage{host(number).in_flight});
    at(now_ + 1, [this, number] { pulse(number); });
  }

  Cluster cluster_;
  std::mt19937_64 dice_;
  std::vector<double> seconds_;  ///< run time of each unit
  std::uint64_t given_ = 0;
  std::uint64_t done_ = 0;
  std::vector<Host> workers_;
  std::priority_queue<Event> events_;
  std::uint64_t number_ = 0;
  double now_ = 0;
  std::deque<std::pair<int, Message>> inbox_;
  double rank0_free_ = 0;
  double rank0_seconds_ = 0;
  bool rank0_called_ = false;
};

}  // namespace crossgrid::efficiency
