#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "crossgrid/app/command_line.hpp"
#include "crossgrid/app/commands.hpp"
#include "crossgrid/app/sweep_units.hpp"
#include "crossgrid/app/work_estimate.hpp"

namespace crossgrid {

namespace {
constexpr CommandHelp help{
    "plan", "SWEEP [options]",
    "Says what a run of this sweep would do: points, duplicates, chips, units, memory, predicted time. Runs nothing.",
    "  crossgrid plan sweeps/quickstart.json\n"
    "  crossgrid plan sweeps/quickstart.json --set trials=10"};
}  // namespace

int plan_command(const Arguments& arguments) {
  boost::program_options::options_description options("options");
  add_sweep_options(options);
  const auto values = parse_arguments(help, options, "sweep", arguments);
  if (!values) return 0;
  const SweepContext context = load_sweep_context(sweep_argument(help, *values));
  const WorkEstimate work = estimate_work(context);
  const RecordedWork nothing;
  const std::uint32_t unit_images = default_unit_images(context.image_count, work.chips, 1);
  const SweepUnits units(context, nothing, unit_images, false);
  const unsigned threads = std::max(1u, std::thread::hardware_concurrency());
  fmt::print("sweep       {} ({})\n", context.sweep.name, context.sweep.path);
  fmt::print("axes        {}\n", fmt::join(context.grid.columns(), ", "));
  fmt::print("points      {} ({} equal to another: computed once)\n", grouped(work.points), grouped(work.duplicates));
  fmt::print("chips       {} (points x trials; points without randomness have one)\n", grouped(work.chips));
  fmt::print("units       {} (of at most {} images of one chip, with one worker: what is run and recorded at once)\n",
             grouped(units.total()), grouped(std::min<std::uint64_t>(unit_images, context.image_count)));
  fmt::print("inferences  {} ({} images per chip, {})\n", grouped(work.inferences), grouped(context.image_count),
             context.test->description());
  fmt::print("products    {:.3g} GFLOP\n", work.gigaflops);
  fmt::print("memory      about {:.0f} MB per worker\n", work.megabytes);
  fmt::print("time        {} on this machine's {} threads (a guess until a run has measured it)\n",
             about_text(work.seconds_per_thread / threads), threads);
  fmt::print("next        crossgrid run {}\n", shell_word(context.sweep.path));
  return 0;
}

}  // namespace crossgrid
