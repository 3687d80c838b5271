#pragma once

#include <string>

#include "crossgrid/base/clock.hpp"
#include "crossgrid/engine/scheduler.hpp"

namespace crossgrid {

/// The line that says how far a run is: redrawn in place on a terminal, one line in 10 seconds elsewhere.
class ProgressLine {
 public:
  /// `quiet`: prints nothing. The clock must outlive it.
  explicit ProgressLine(bool quiet, const TimeSource& clock = system_time());
  void update(const EngineProgress& progress);
  /// Prints a line for the user without tearing the progress line.
  void note(const std::string& line);
  /// erases the line.
  void finish();

 private:
  void erase();

  const TimeSource& clock_;
  bool quiet_;
  bool terminal_;
  bool drawn_ = false;
  double interval_;  ///< [s]
  double next_;
};

/// "1,200 of 4,000 units, 30.0 %, 410 units/s, 7 s left, 2 failed".
std::string progress_text(const EngineProgress& progress);

}  // namespace crossgrid
