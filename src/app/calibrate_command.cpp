#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "crossgrid/app/command_line.hpp"
#include "crossgrid/app/commands.hpp"
#include "crossgrid/app/sweep_context.hpp"
#include "crossgrid/base/error.hpp"
#include "crossgrid/base/file.hpp"
#include "crossgrid/base/version.hpp"
#include "crossgrid/network/calibration.hpp"
#include "crossgrid/sweep/range_file.hpp"
#include "crossgrid/sweep/range_import.hpp"

namespace crossgrid {

namespace {

namespace po = boost::program_options;

constexpr CommandHelp help{
    "calibrate", "SWEEP [--point N] -o FILE [options]",
    "Calibrates the converters of one point of a sweep and writes their ranges, layer by layer, to a JSON file to be\n"
    "read, edited and used again: calibration.file in a sweep (docs/sweep-file.md, \"Calibration\"). What the sweep "
    "itself\n"
    "says there is ignored. Published ranges can be imported from NPY arrays of layers x 2 (or layers x slices x 2):\n"
    "images are then needed only for what is not imported.",
    "  crossgrid calibrate sweeps/quickstart.json --point 7 -o ranges.json\n"
    "  crossgrid run sweeps/quickstart.json --set calibration.file=ranges.json -o results/fixed-ranges\n"
    "  crossgrid calibrate sweep.json --import-adc adc.npy --import-dac dac.npy -o ranges.json"};

/// Imported ranges, by matrix layer; empty: none.
struct Imports {
  std::string adc_path, dac_path;
  std::vector<std::vector<Interval>> adc, dac;
};

Imports read_imports(const po::variables_map& values, std::size_t layers) {
  Imports imports;
  if (values.count("import-adc")) {
    imports.adc_path = values["import-adc"].as<std::string>();
    imports.adc = import_ranges(imports.adc_path, layers);
  }
  if (values.count("import-dac")) {
    imports.dac_path = values["import-dac"].as<std::string>();
    imports.dac = import_ranges(imports.dac_path, layers);
    if (std::ranges::any_of(imports.dac, [](const auto& ranges) { return ranges.size() > 1; })) {
      throw input_error(imports.dac_path, "found ranges per weight slice, but inputs have one range per layer");
    }
  }
  return imports;
}

/// Ranges that the imports don't hold, by calibration on the sweep's images; nothing where none is left.
std::vector<LayerRanges> calibrated(const SweepContext& context, const Point& point, const Imports& imports) {
  const bool needed = std::ranges::any_of(point.hardware, [&](const LayerHardware& hardware) {
    const CalibrationNeeds needs = calibration_needs(hardware);
    return (needs.dac && imports.dac.empty()) || (needs.adc && imports.adc.empty()) || needs.levels;
  });
  if (!needed) return std::vector<LayerRanges>(point.hardware.size());
  const int threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  InferenceEngine engine(context.network, context.test, context.calibration_plan(), threads);
  return engine.ranges(point.hardware);
}

std::vector<StoredRanges> merged(const std::vector<MatrixLayer>& layers, const Point& point,
                                 const std::vector<LayerRanges>& found, const Imports& imports) {
  std::vector<StoredRanges> all;
  for (std::size_t m = 0; m < layers.size(); ++m) {
    StoredRanges ranges = stored_ranges(layers[m].name, point.hardware[m], found[m]);
    if (!imports.adc.empty()) ranges.adc = imports.adc[m];
    if (!imports.dac.empty()) ranges.dac = imports.dac[m].front();
    if (ranges.dac || !ranges.adc.empty() || !ranges.levels.empty()) all.push_back(std::move(ranges));
  }
  return all;
}

Json provenance_of(const SweepContext& context, const Point& point, const Imports& imports) {
  Json axes = Json::object();
  for (const auto& [name, value] : point.axes) axes[name] = value;
  Json provenance{{"program", version_number()},
                  {"network", {{"name", context.network.name}, {"content", context.network.content.hex()}}},
                  {"point", {{"index", point.index}, {"axes", axes}}}};
  if (!imports.adc_path.empty()) provenance["adc_from"] = imports.adc_path;
  if (!imports.dac_path.empty()) provenance["dac_from"] = imports.dac_path;
  if (context.calibration && (imports.adc.empty() || imports.dac.empty())) {
    const CalibrationPlan plan = context.calibration_plan();
    Json calibration{{"split", context.sweep.calibration.split},
                     {"content", context.calibration->content().hex()},
                     {"images", {{"first", plan.first}, {"count", plan.count}}},
                     {"method", method_name(plan.fit)}};
    if (plan.fit == RangeFit::percentile) calibration["percentile"] = plan.percentile;
    provenance["calibration"] = calibration;
  }
  return provenance;
}

void print_ranges(const std::vector<StoredRanges>& layers) {
  const auto text = [](const Interval& range) { return fmt::format("[{:.5g}, {:.5g}]", range.low, range.high); };
  fmt::print("{:<18}{:<24}{}\n", "layer", "inputs", "ADC");
  for (const StoredRanges& ranges : layers) {
    std::string adc;
    for (const Interval& range : ranges.adc) adc += text(range) + " ";
    fmt::print("{:<18}{:<24}{}\n", ranges.layer, ranges.dac ? text(*ranges.dac) : "", adc);
  }
}

}  // namespace

int calibrate_command(const Arguments& arguments) {
  po::options_description options("options");
  add_sweep_options(options);
  options.add_options()("point,p", po::value<std::uint64_t>()->default_value(0), "index of the point in the grid")(
      "output,o", po::value<std::string>(), "file to write (required)")(
      "import-adc", po::value<std::string>(), "NPY file of ADC ranges, cell currents at g = 1, x = 1")(
      "import-dac", po::value<std::string>(), "NPY file of input ranges, layer units");
  const auto values = parse_arguments(help, options, "sweep", arguments);
  if (!values) return 0;
  if (!values->count("output")) throw Error(ExitCode::usage, "calibrate: -o FILE is missing: where ranges go");
  SweepFile sweep = sweep_argument(help, *values);
  sweep.calibration.file.clear();
  const SweepContext context = load_sweep_context(std::move(sweep), MissingSplit::allowed);
  const auto index = (*values)["point"].as<std::uint64_t>();
  if (index >= context.grid.size()) {
    throw Error(ExitCode::usage,
                fmt::format("--point {}: the grid has points 0 to {}", index, context.grid.size() - 1));
  }
  const Point point = context.grid.point(index);
  const std::vector<MatrixLayer> layers = matrix_layers(context.network);
  const Imports imports = read_imports(*values, layers.size());
  const std::vector<StoredRanges> ranges = merged(layers, point, calibrated(context, point, imports), imports);
  if (ranges.empty()) {
    throw Error(ExitCode::bad_input,
                fmt::format("{}: point {}: no converter's range is calibrated there", context.sweep.path, index));
  }
  const std::string path = (*values)["output"].as<std::string>();
  replace_file(posix_files(), path, range_file_text(ranges, provenance_of(context, point, imports)));
  print_ranges(ranges);
  fmt::print("written to {}; use it with --set calibration.file={}\n", path, path);
  return 0;
}

}  // namespace crossgrid
