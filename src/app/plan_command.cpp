#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "crossgrid/app/command_line.hpp"
#include "crossgrid/app/commands.hpp"
#include "crossgrid/app/run_account.hpp"
#include "crossgrid/app/sweep_units.hpp"
#include "crossgrid/base/error.hpp"

namespace crossgrid {

namespace {
constexpr CommandHelp help{
    "plan", "SWEEP [options]",
    "Says what a run of this sweep would do: points, duplicates, chips, units, time, memory, disk. Runs nothing.",
    "  crossgrid plan sweeps/quickstart.json\n"
    "  crossgrid plan sweeps/quickstart.json --workers 8 --threads 4\n"
    "  crossgrid plan sweeps/quickstart.json --set trials=10"};

int positive(const boost::program_options::variables_map& values, const char* name, int otherwise) {
  const int value = values[name].as<int>();
  if (value < 0) throw Error(ExitCode::usage, fmt::format("--{} {}: expected 0 or more", name, value));
  return value == 0 ? otherwise : value;
}

}  // namespace

int plan_command(const Arguments& arguments) {
  boost::program_options::options_description options("options");
  add_sweep_options(options);
  options.add_options()("workers", boost::program_options::value<int>()->default_value(1),
                        "worker ranks to plan for (mpirun -np N+1)")(
      "threads,t", boost::program_options::value<int>()->default_value(0), "threads per worker (0: this machine's)");
  const auto values = parse_arguments(help, options, "sweep", arguments);
  if (!values) return 0;
  const SweepContext context = load_sweep_context(sweep_argument(help, *values));
  const int workers = positive(*values, "workers", 1);
  const int threads = positive(*values, "threads", static_cast<int>(std::max(1u, std::thread::hardware_concurrency())));
  const WorkEstimate work = estimate_work(context);
  const RecordedWork nothing;
  const std::uint32_t unit_images = default_unit_images(context.image_count, work.chips, workers);
  const SweepUnits units(context, nothing, unit_images, false);
  const RoundPlan plan = round_plan(context);
  const std::uint64_t all_units = plan.in_rounds() ? work.chips * units_of_chip(context, unit_images) : units.total();
  const RunAccount::Predicted predicted = predict_run(work, all_units, all_units, workers, threads);
  fmt::print("sweep       {} ({})\n", context.sweep.name, context.sweep.path);
  fmt::print("axes        {}\n", fmt::join(context.grid.columns(), ", "));
  if (plan.in_rounds()) {
    const RoundPlan::Bound most = plan.bound();
    fmt::print("rounds      at most {}; what each runs follows from the results before: all below is the most\n",
               most.rounds);
  }
  fmt::print("points      {} ({} equal to another: computed once)\n", grouped(work.points), grouped(work.duplicates));
  fmt::print("chips       {} (points x trials; points without randomness have one)\n", grouped(work.chips));
  const std::uint64_t images = std::min<std::uint64_t>(unit_images, context.image_count);
  fmt::print("units       {} (of at most {} images of one chip, with {}: what is run and recorded at once)\n",
             plan.in_rounds()
                 ? fmt::format("at most {}, {} in the first round", grouped(all_units), grouped(units.total()))
                 : grouped(all_units),
             grouped(images), counted(static_cast<std::uint64_t>(workers), "worker"));
  fmt::print("inferences  {} ({} images per chip, {})\n", grouped(work.inferences), grouped(context.image_count),
             context.test->description());
  fmt::print("products    {:.3g} GFLOP\n", work.gigaflops);
  fmt::print("time        {} on {} x {} (a guess, which 'crossgrid status' corrects when a run has begun)\n",
             about_text(predicted.seconds), counted(static_cast<std::uint64_t>(workers), "worker"),
             counted(static_cast<std::uint64_t>(threads), "thread"));
  fmt::print("memory      about {:.0f} MB per worker\n", predicted.megabytes);
  fmt::print("disk        about {:.2g} MB\n", predicted.disk_megabytes);
  fmt::print("next        crossgrid run {}\n", shell_word(context.sweep.path));
  return 0;
}

}  // namespace crossgrid
