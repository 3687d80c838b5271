#pragma once

#include <poll.h>

#include <array>
#include <csignal>
#include <vector>

#include "crossgrid/engine/message.hpp"

/// What the loops of rank 0 and of the workers share: waiting without burning a core, and signals.
namespace crossgrid {

/// Waits between looks at things that can't wake a process (MPI): 20 us after something happened, then an eighth of the
/// time since, up to 10 ms, so that an idle rank uses less than 1 % of a core and a busy one answers at once. Not more
/// than an eighth: two ranks that wait for each other would stretch each other's pauses up to the longest.
class IdleWait {
 public:
  /// Something happened: the next wait is short.
  void reset() { waited_ = Time(0); }
  /// Waits for one of the descriptors, a signal or the time.
  void wait(std::vector<pollfd>& descriptors);

 private:
  static constexpr Time shortest{20'000};
  static constexpr Time longest{10'000'000};
  Time waited_{0};
};

/// While it lives, SIGTERM, SIGUSR1, SIGINT and SIGHUP (unless it was ignored) are counted instead of ending the
/// process, and SIGXFSZ is ignored. One at a time.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  /// Signals that have come so far.
  int count() const;
  /// The first of them, or 0.
  int first() const;

 private:
  std::array<struct sigaction, 4> before_{};
  struct sigaction before_file_limit_ {};
};

}  // namespace crossgrid
