#include <fmt/format.h>

#include "crossgrid/app/command_line.hpp"
#include "crossgrid/app/commands.hpp"
#include "crossgrid/app/sweep_context.hpp"
#include "crossgrid/base/error.hpp"

namespace crossgrid {

namespace {

constexpr CommandHelp help{
    "explain", "SWEEP [--point N] [options]",
    "Prints one point of a sweep: its parameters (those without effect left out) and, layer by layer, how it will be\n"
    "simulated: arrays, cells, the execution plan and the reason for it.",
    "  crossgrid explain sweeps/quickstart.json --point 7\n"
    "  crossgrid explain sweeps/quickstart.json --set adc.model=ideal --grid dac.bits=4,8"};

void print_layers(const SweepContext& context, const Point& point) {
  fmt::print("{:<18}{:>7}{:>6}{:>7}{:>13}{:>9}  {}\n", "layer", "rows", "cols", "MVMs", "arrays", "cells", "execution");
  for (const LayerPlan& layer : plan_layers(context.network, point.hardware)) {
    fmt::print("{:<18}{:>7}{:>6}{:>7}{:>13}{:>9}  {}\n", layer.layer, layer.rows, layer.cols, layer.mvms_per_image,
               fmt::format("{} x {}", layer.row_arrays, layer.col_arrays), layer.cells, layer.execution);
    fmt::print("{:<18}{}\n", "", layer.reason);
  }
}

}  // namespace

int explain_command(const Arguments& arguments) {
  boost::program_options::options_description options("options");
  add_sweep_options(options);
  options.add_options()("point,p", boost::program_options::value<std::uint64_t>()->default_value(0),
                        "index of the point in the grid");
  const auto values = parse_arguments(help, options, "sweep", arguments);
  if (!values) return 0;
  const SweepContext context = load_sweep_context(sweep_argument(help, *values));
  const auto index = (*values)["point"].as<std::uint64_t>();
  if (index >= context.grid.size()) {
    throw Error(ExitCode::usage,
                fmt::format("--point {}: the grid has points 0 to {}", index, context.grid.size() - 1));
  }
  const Point point = context.grid.point(index);
  fmt::print("point {} of {} ({})\n", index, context.grid.size(), point.id.hex());
  for (const auto& [name, value] : point.axes) fmt::print("  axis {} = {}\n", name, value.dump());
  fmt::print("\nparameters that have an effect:\n");
  const Json resolved = context.grid.resolved(index);
  for (const auto& [name, value] : resolved.items()) fmt::print("  {} = {}\n", name, value.dump());
  fmt::print("\n{} on {} images in micro-batches of {}{}\n\n", context.network.name, context.image_count,
             micro_batch_size(context.network, point.hardware),
             point.deterministic ? "; nothing random: one trial" : fmt::format("; {} trials (chips)", point.trials));
  print_layers(context, point);
  return 0;
}

}  // namespace crossgrid
