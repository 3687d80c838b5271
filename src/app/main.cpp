#include "crossgrid/app/main.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>

#include "crossgrid/app/commands.hpp"
#include "crossgrid/base/error.hpp"
#include "crossgrid/base/json.hpp"
#include "crossgrid/base/terminal_text.hpp"
#include "crossgrid/base/version.hpp"
#include "crossgrid/engine/failpoint.hpp"

namespace crossgrid {

namespace {

struct Command {
  const char* name;
  int (*run)(const Arguments&);
  const char* summary;  ///< null: not listed
};

constexpr Command commands[] = {
    {"run", run_command, "run a sweep, or continue one that was stopped"},
    {"plan", plan_command, "say what a run would do: points, units, memory, time"},
    {"validate", validate_command, "check a sweep file and everything that it names"},
    {"status", status_command, "progress, rate and failures of a run, also while it runs"},
    {"query", query_command, "select results: conditions, groups, Pareto front, CSV"},
    {"replay", replay_command, "run one unit again, in the open, and compare it with the journal"},
    {"diff", diff_command, "compare the results of two databases"},
    {"report", report_command, "write results as one HTML page: plots, Pareto front, failures, checks"},
    {"gather", gather_command, "merge the journals of all shards into the database, each unit once"},
    {"submit", submit_command, "hand a sweep to Slurm: jobs that continue until all is done"},
    {"cancel", cancel_command, "cancel the jobs of a submitted sweep"},
    {"explain", explain_command, "how one point will be simulated, layer by layer"},
    {"calibrate", calibrate_command, "write the converters' ranges of a point to a file"},
    {"export", export_command, "write a network as it is run as an ONNX file"},
    {"adc", adc_command, "linearity of a converter: INL, DNL, missing codes"},
    {"circuit", circuit_command, "solve one array with its wires: voltages, currents, SPICE netlist"},
    {"info", info_command, "version, processor, libraries, what was built in"},
    {"executor", executor_command, nullptr},
};

void print_usage() {
  fmt::print(
      "crossgrid {}: accuracy of neural networks on analog crossbar arrays, over whole grids of parameters\n\n"
      "usage: crossgrid COMMAND [options]\n\n",
      version_number());
  for (const Command& command : commands) {
    if (command.summary) fmt::print("  {:<10}{}\n", command.name, command.summary);
  }
  fmt::print(
      "\n'crossgrid COMMAND --help' explains a command. A first run:\n"
      "  crossgrid run sweeps/quickstart.json\n"
      "  mpirun -np 3 --bind-to none --oversubscribe --enable-recovery crossgrid run sweeps/quickstart.json\n"
      "                                                                  (rank 0 schedules, 2 workers)\n"
      "Exit codes: 0 done, 2 usage, 3 some points failed, 4 bad input, 5 folder in use, 6 storage, 7 other results in\n"
      "the folder, or databases that differ, 75 to be continued (docs/exit-codes.md).\n");
}

int dispatch(const Arguments& words) {
  if (words.empty()) {
    print_usage();
    return static_cast<int>(ExitCode::usage);
  }
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    print_usage();
    return 0;
  }
  if (words[0] == "--version") {
    fmt::print("crossgrid {} ({})\n", version_number(), version_commit());
    return 0;
  }
  const auto found = std::find_if(std::begin(commands), std::end(commands),
                                  [&](const Command& command) { return words[0] == command.name; });
  if (found != std::end(commands)) return found->run(Arguments(words.begin() + 1, words.end()));
  std::vector<std::string> names;
  for (const Command& command : commands) {
    if (command.summary) names.emplace_back(command.name);
  }
  const std::string nearest = nearest_name(words[0], names);
  throw Error(ExitCode::usage,
              fmt::format("unknown command '{}'{}\n  known: {}", words[0],
                          nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest), fmt::join(names, ", ")));
}

}  // namespace

int run_command_line(int argc, char** argv) {
  try {
    arm_failpoints_from_environment();
    return dispatch(Arguments(argv + 1, argv + argc));
  } catch (const Error& error) {
    fmt::print(stderr, "error: {}\n", lines_without_control_characters(error.what()));
    return static_cast<int>(error.code());
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "error: out of memory\n");
    return static_cast<int>(ExitCode::internal);
  } catch (const std::exception& error) {
    fmt::print(stderr, "error: a defect of crossgrid, please report it: {}\n",
               lines_without_control_characters(error.what()));
    return static_cast<int>(ExitCode::internal);
  }
}

}  // namespace crossgrid
