#pragma once

#include <chrono>
#include <string>

#include "crossgrid/engine/scheduler.hpp"

namespace crossgrid {

/// The line that says how far a run is: redrawn in place on a terminal, one line in 10 seconds elsewhere.
class ProgressLine {
 public:
  /// `quiet`: prints nothing.
  explicit ProgressLine(bool quiet);
  void update(const EngineProgress& progress);
  /// Prints a line for the user without tearing the progress line.
  void note(const std::string& line);
  /// erases the line.
  void finish();

 private:
  void erase();

  bool quiet_;
  bool terminal_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point next_;
};

/// "1,200 of 4,000 units, 30.0 %, 410 units/s, 7 s left, 2 failed".
std::string progress_text(const EngineProgress& progress);

}  // namespace crossgrid
