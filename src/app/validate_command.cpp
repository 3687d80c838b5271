#include <fmt/format.h>

#include "crossgrid/app/command_line.hpp"
#include "crossgrid/app/commands.hpp"
#include "crossgrid/app/sweep_context.hpp"
#include "crossgrid/app/work_estimate.hpp"

namespace crossgrid {

namespace {
constexpr CommandHelp help{
    "validate", "SWEEP [options]",
    "Checks a sweep file and everything that it names: parameters, axes, network, data set, images.\n"
    "Prints one line and exits with 0, or one error with its place and exits with 4.",
    "  crossgrid validate sweeps/quickstart.json\n"
    "  crossgrid validate sweeps/quickstart.json --set adc.bits=6"};
}  // namespace

int validate_command(const Arguments& arguments) {
  boost::program_options::options_description options("options");
  add_sweep_options(options);
  const auto values = parse_arguments(help, options, "sweep", arguments);
  if (!values) return 0;
  const SweepContext context = load_sweep_context(sweep_argument(help, *values));
  fmt::print("{}: good: {}, network '{}', {} ({})\n", context.sweep.path, counted(context.grid.size(), "point"),
             context.network.name, counted(context.image_count, "test image"), context.test->description());
  return 0;
}

}  // namespace crossgrid
