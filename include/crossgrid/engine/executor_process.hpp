#pragma once

#include <string>
#include <vector>

#include "crossgrid/engine/unit_runner.hpp"

namespace crossgrid {

/// The executor process: what `crossgrid executor --fd N --parent PID` runs. Descriptor N is its socket to the worker,
/// over which first comes the memory where it marks the unit that it works on. Ends with its worker. Returns the exit
/// code.
int run_executor_process(int fd, int parent, const UnitRunnerFactory& factory);

/// The same from command line arguments (after the program's and the command's name): "--fd N --parent PID".
int run_executor_process(const std::vector<std::string>& arguments, const UnitRunnerFactory& factory);

/// One attempt at a unit, as the executor process makes it: what the runner throws is the reason of a failed result.
/// The result's run time is the attempt's.
UnitResult attempt_unit(UnitRunner& runner, const Unit& unit, const std::function<void()>& heartbeat);

/// The thread count that the worker chose for this executor process; 1 where there is none.
int executor_threads_from_environment();

}  // namespace crossgrid
