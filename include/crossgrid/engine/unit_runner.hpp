#pragma once

#include <functional>
#include <memory>
#include <string>

#include "crossgrid/base/error.hpp"
#include "crossgrid/engine/unit.hpp"

namespace crossgrid {

/// What an executor process does with units. The engine knows nothing else of the simulation, so tests and
/// benchmarks run it with runners of their own.
class UnitRunner {
 public:
  virtual ~UnitRunner() = default;
  /// Runs one unit. `heartbeat` is called from inside the work loop (not from a thread beside it) at least every few
  /// seconds. An exception fails the unit's attempt with its text; the process stays usable.
  virtual UnitResult run(const Unit& unit, const std::function<void()>& heartbeat) = 0;
};

/// Thrown by a factory: this host can't run the job as the sweep needs it, others may. The worker ends, the sweep goes
/// on without it. Any other Error says that nobody can run the job.
class UnfitHost : public Error {
 public:
  using Error::Error;
};

/// Makes the runner inside the executor process from the job text that rank 0 sent (for `crossgrid run`: JSON with the
/// resolved sweep, the thread count and so on). Called once per process, before the first unit.
using UnitRunnerFactory = std::function<std::unique_ptr<UnitRunner>(const std::string& job)>;

}  // namespace crossgrid
