#include <fmt/format.h>

#include "crossgrid/app/command_line.hpp"
#include "crossgrid/app/commands.hpp"
#include "crossgrid/app/slurm_queue.hpp"
#include "crossgrid/base/error.hpp"

namespace crossgrid {

namespace {

namespace po = boost::program_options;

constexpr CommandHelp help{"cancel", "DIR",
                           "Cancels the jobs that 'crossgrid submit' has in Slurm's queue for an output folder. What "
                           "is recorded is kept; the\n"
                           "same 'crossgrid submit' continues.",
                           "  crossgrid cancel results/quickstart"};

}  // namespace

int cancel_command(const Arguments& arguments) {
  po::options_description options("options");
  options.add_options()("folder", po::value<std::string>(), "output folder of a submitted sweep");
  const auto values = parse_arguments(help, options, "folder", arguments);
  if (!values) return 0;
  const std::string folder = required_argument(help, *values, "folder", "the output folder");
  const SubmittedJobs jobs = read_submitted_jobs(folder);
  if (jobs.sweep.empty()) {
    throw Error(ExitCode::bad_input, fmt::format("{}: no jobs were submitted for it", folder));
  }
  const std::vector<std::string> queued = queued_jobs(jobs);
  if (queued.empty()) {
    fmt::print("nothing to cancel: jobs {} and {} have ended\n", jobs.sweep, jobs.gather);
    return 0;
  }
  std::vector<std::string> words{"scancel"};
  words.insert(words.end(), queued.begin(), queued.end());
  run_slurm(words);
  fmt::print("cancelled: job {}; what is recorded is kept\n", fmt::join(queued, ", "));
  return 0;
}

}  // namespace crossgrid
