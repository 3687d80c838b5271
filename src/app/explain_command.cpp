#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include "crossgrid/app/budget_report.hpp"
#include "crossgrid/app/command_line.hpp"
#include "crossgrid/app/commands.hpp"
#include "crossgrid/app/measure_report.hpp"
#include "crossgrid/app/sweep_context.hpp"
#include "crossgrid/base/error.hpp"

namespace crossgrid {

namespace {

namespace po = boost::program_options;

constexpr CommandHelp help{
    "explain", "SWEEP [--point N] [options]",
    "Prints one point of a sweep: its parameters (those without effect left out) and, layer by layer, how it will be\n"
    "simulated: arrays, cells, the execution plan and the reason for it.\n"
    "With --budget it runs the point and says which non-ideality costs how much accuracy; with --measure, what goes\n"
    "on inside its layers and how often each part of the chip works (docs/explain.md).",
    "  crossgrid explain sweeps/quickstart.json --point 7\n"
    "  crossgrid explain sweeps/quickstart.json --point 7 --budget --images 200 --layers\n"
    "  crossgrid explain sweeps/quickstart.json --point 7 --measure --trials 5 --json\n"
    "  crossgrid explain sweeps/quickstart.json --set adc.model=ideal --grid dac.bits=4,8"};

void print_layers(const SweepContext& context, const Point& point) {
  fmt::print("{:<18}{:>7}{:>6}{:>7}{:>13}{:>9}{:>6}  {}\n", "layer", "rows", "cols", "MVMs", "arrays", "cells", "used",
             "execution");
  for (const LayerPlan& layer : plan_layers(context.network, point.hardware, CellsLookedAt::all)) {
    fmt::print("{:<18}{:>7}{:>6}{:>7}{:>13}{:>9}{:>5.0f}%  {}\n", layer.layer, layer.rows, layer.cols,
               layer.mvms_per_image, fmt::format("{} x {}", layer.row_arrays, layer.col_arrays), layer.cells,
               100 * layer.utilisation, layer.execution);
    fmt::print("{:<18}{}\n", "", layer.reason);
  }
}

void print_point(const SweepContext& context, const Point& point) {
  fmt::print("point {} of {} ({})\n", point.index, context.grid.size(), point.id.hex());
  for (const auto& [name, value] : point.axes) fmt::print("  axis {} = {}\n", name, value.dump());
  fmt::print("\nparameters that have an effect:\n");
  const Json resolved = context.grid.resolved(point.index);
  for (const auto& [name, value] : resolved.items()) fmt::print("  {} = {}\n", name, value.dump());
  fmt::print("\n{} on {} images in micro-batches of {}{}\n\n", context.network.name, context.image_count,
             micro_batch_size(context.network, point.hardware),
             point.deterministic ? "; nothing random: one trial" : fmt::format("; {} trials (chips)", point.trials));
  print_layers(context, point);
}

/// What runs the point, and on how much of it.
struct PointRun {
  std::uint32_t images = 0, trials = 1;
  int threads = 1;
};

/// Options that would do nothing are mistakes.
void refuse_contradictions(const po::variables_map& values) {
  const auto needs = [&](const char* option, const char* needed) {
    if (values.count(option) && !values.count(needed)) {
      throw Error(ExitCode::usage, fmt::format("--{} has no effect without --{}", option, needed));
    }
  };
  needs("layers", "budget");
  needs("csv", "budget");
  needs("json", "measure");
  if (values.count("budget") && values.count("measure")) {
    throw Error(ExitCode::usage, "--budget and --measure exclude each other");
  }
}

/// usual_trials: where the user says nothing, at most the sweep's.
PointRun point_run(const SweepContext& context, const Point& point, const po::variables_map& values,
                   std::uint32_t usual_trials) {
  const auto at_least_one = [&](const char* option) {
    const auto value = values[option].as<std::uint32_t>();
    if (value == 0) throw Error(ExitCode::usage, fmt::format("--{} 0: expected 1 or more", option));
    return value;
  };
  PointRun run;
  run.images = static_cast<std::uint32_t>(std::min<std::uint64_t>(at_least_one("images"), context.image_count));
  run.trials = point.deterministic      ? 1
               : values.count("trials") ? at_least_one("trials")
                                        : std::min(usual_trials, point.trials);
  run.threads = values.count("threads") ? static_cast<int>(at_least_one("threads"))
                                        : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  return run;
}

/// Redraws one line on a terminal.
void show_progress(std::size_t done, std::size_t total) {
  static const bool terminal = isatty(STDERR_FILENO) == 1;
  if (!terminal) return;
  fmt::print(stderr, "\r\x1b[K");
  if (done < total) fmt::print(stderr, "{} of {} chips", done, total);
  std::fflush(stderr);
}

std::vector<std::string> layer_names(const Network& network) {
  std::vector<std::string> names;
  for (const MatrixLayer& layer : matrix_layers(network)) names.push_back(layer.name);
  return names;
}

/// Which point a report is of.
void print_heading(const char* what, const SweepContext& context, const Point& point) {
  fmt::print("{} of point {} of {} ({})\n", what, point.index, context.grid.size(), point.id.hex());
  for (const auto& [name, value] : point.axes) fmt::print("  axis {} = {}\n", name, value.dump());
}

void print_budget(const SweepContext& context, const Point& point, const po::variables_map& values) {
  const PointRun run = point_run(context, point, values, 3);
  InferenceEngine engine(context.network, context.test, context.calibration_plan(), run.threads);
  BudgetRequest request;
  request.hardware = point.hardware;
  request.seed = context.sweep.seed, request.trials = run.trials;
  request.first = context.first_image, request.count = run.images;
  request.layers = values.count("layers") > 0;
  const ErrorBudget budget = error_budget(engine, layer_names(context.network), request, show_progress);
  if (values.count("csv")) {
    fmt::print("{}", budget_csv(budget));
    return;
  }
  print_heading("error budget", context, point);
  fmt::print("{}", budget_text(budget));
}

void print_measures(const SweepContext& context, const Point& point, const po::variables_map& values) {
  const PointRun run = point_run(context, point, values, 1);
  InferenceEngine engine(context.network, context.test, context.calibration_plan(), run.threads);
  PointMeasures measures;
  measures.images = run.images;
  measures.layers = matrix_layers(context.network);
  for (std::size_t m = 0; m < measures.layers.size(); ++m) {
    const LayerHardware& hardware = point.hardware[m];
    measures.events.push_back(count_events(measures.layers[m], hardware, conversion_counts(hardware)));
  }
  InferenceRequest request;
  request.hardware = point.hardware;
  request.seed = context.sweep.seed;
  request.first = context.first_image, request.count = run.images;
  for (request.trial = 0; request.trial < run.trials; ++request.trial) {
    measures.trials.push_back(engine.layer_measures(request));
    show_progress(request.trial + 1, run.trials);
  }
  if (values.count("json")) {
    Json json = {{"point", point.index}, {"id", point.id.hex()}, {"axes", Json::object()}};
    for (const auto& [name, value] : point.axes) json["axes"][name] = value;
    json.update(measures_json(measures));
    fmt::print("{}\n", json.dump(2));
    return;
  }
  print_heading("layers", context, point);
  fmt::print("{}", measures_text(measures));
}

}  // namespace

int explain_command(const Arguments& arguments) {
  po::options_description options("options");
  add_sweep_options(options);
  options.add_options()("point,p", po::value<std::uint64_t>()->default_value(0), "index of the point in the grid")(
      "budget", "run it: what every non-ideality costs, switched off alone and on alone")(
      "measure", "run it: errors, ranges and inputs of every layer, and events per image")(
      "layers", "with --budget: also layer by layer")("csv", "with --budget: as CSV")(
      "json", "with --measure: as JSON")("images", po::value<std::uint32_t>()->default_value(500),
                                         "to run: the first ones of the sweep")(
      "trials", po::value<std::uint32_t>(), "chips to run (default: the sweep's; with --budget 3, else 1 at most)")(
      "threads", po::value<std::uint32_t>(), "to run with (default: the machine's)");
  const auto values = parse_arguments(help, options, "sweep", arguments);
  if (!values) return 0;
  const SweepContext context = load_sweep_context(sweep_argument(help, *values));
  const auto index = (*values)["point"].as<std::uint64_t>();
  if (index >= context.grid.size()) {
    throw Error(ExitCode::usage,
                fmt::format("--point {}: the grid has points 0 to {}", index, context.grid.size() - 1));
  }
  const Point point = context.grid.point(index);
  refuse_contradictions(*values);
  if (values->count("measure")) {
    print_measures(context, point, *values);
  } else if (values->count("budget")) {
    print_budget(context, point, *values);
  } else {
    print_point(context, point);
  }
  return 0;
}

}  // namespace crossgrid
