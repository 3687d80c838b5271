#pragma once

#include <algorithm>

#include "crossgrid/engine/message.hpp"

namespace crossgrid {

/// Time as its owner lived through it. The owner is meant to look at least every 100 ms; where more than `longest_step`
/// lies between two looks, the owner itself was stopped (SIGSTOP, a suspended job, a slow disk) and could not hear
/// anybody, so the gap counts as one step and nobody is declared dead for it.
class LivedTime {
 public:
  explicit LivedTime(Time longest_step = from_seconds(1)) : longest_step_(longest_step) {}

  /// The lived time at clock time `now`; a clock that goes back counts as standing still.
  Time at(Time now) {
    if (!started_) {
      started_ = true;
    } else if (now > last_) {
      lived_ += std::min(now - last_, longest_step_);
    }
    last_ = now;
    return lived_;
  }

 private:
  Time longest_step_;
  Time last_{0};
  Time lived_{0};
  bool started_ = false;
};

}  // namespace crossgrid
