#include <fmt/format.h>

#include <optional>

#include "crossgrid/app/command_line.hpp"
#include "crossgrid/app/commands.hpp"
#include "crossgrid/app/inference_runner.hpp"
#include "crossgrid/app/recorded_sweep.hpp"
#include "crossgrid/app/unit_lines.hpp"
#include "crossgrid/base/error.hpp"
#include "crossgrid/base/terminal_text.hpp"
#include "crossgrid/base/whole_number.hpp"
#include "crossgrid/engine/executor_process.hpp"
#include "crossgrid/engine/journal_reader.hpp"
#include "crossgrid/engine/output_folder.hpp"
#include "crossgrid/engine/run_engine.hpp"

namespace crossgrid {

namespace {

namespace po = boost::program_options;

constexpr CommandHelp help{
    "replay", "DIR --point N|ID --trial T --images A..B [options]",
    "Runs one unit of an output folder's sweep again, in this very process, so that it can be looked at: under a\n"
    "debugger, with more memory, on another host. `status` and the journal's failed records give the command.\n"
    "Prints what comes of it and compares it with what the journal has of the same unit. Writes nothing there.\n"
    "Where the unit crashes, this command ends by the same signal.",
    "  crossgrid replay results/quickstart --point 7 --trial 3 --images 0..599\n"
    "  gdb --args crossgrid replay results/quickstart --point 7 --trial 3 --images 0..599"};

/// A place in the grid, or the content hash that the journal knows a point by: that one stays when an axis grows.
std::uint64_t point_index(const Grid& grid, const std::string& text) {
  constexpr std::size_t hash_digits = 32;
  if (text.size() == hash_digits) {
    for (std::uint64_t index = 0; index < grid.size(); ++index) {
      if (grid.id(index).hex() == text) return index;
    }
    throw Error(ExitCode::usage, fmt::format("--point {}: no point of the grid has this content hash", text));
  }
  const auto index = whole_number<std::uint64_t>(text);
  if (index && *index < grid.size()) return *index;
  throw Error(ExitCode::usage, fmt::format("--point {}: expected 0 to {}, or a point's content hash of {} hex digits",
                                           text, grid.size() - 1, hash_digits));
}

/// "A..B", both included.
ImageSpan image_span(const std::string& text, ImageSpan whole) {
  const std::size_t dots = text.find("..");
  if (dots != std::string::npos) {
    const auto first = whole_number<std::uint64_t>(std::string_view(text).substr(0, dots));
    const auto last = whole_number<std::uint64_t>(std::string_view(text).substr(dots + 2));
    if (first && last && *first <= *last && *first >= whole.first && *last < whole.end()) {
      return {*first, *last - *first + 1};
    }
  }
  throw Error(ExitCode::usage, fmt::format("--images {}: expected A..B within the sweep's images {}..{}", text,
                                           whole.first, whole.end() - 1));
}

Unit unit_argument(const SweepContext& context, const po::variables_map& values) {
  Unit unit;
  unit.point = point_index(context.grid, required_argument(help, values, "point", "--point"));
  unit.trial = values["trial"].as<std::uint32_t>();
  if (unit.trial >= context.grid.trials(unit.point)) {
    throw Error(ExitCode::usage, fmt::format("--trial {}: point {} has trials 0 to {}", unit.trial, unit.point,
                                             context.grid.trials(unit.point) - 1));
  }
  const ImageSpan whole{context.first_image, context.image_count};
  const ImageSpan images = values.count("images") ? image_span(values["images"].as<std::string>(), whole) : whole;
  unit.first = images.first;
  unit.count = static_cast<std::uint32_t>(images.count);
  return unit;
}

/// The journal's done record of the very same unit.
std::optional<UnitRecord> recorded_unit(const std::string& folder, const Id128& point, const Unit& unit) {
  std::optional<UnitRecord> found;
  std::vector<JournalLoss> losses;
  for (const std::string& path : journal_segments(posix_files(), folder)) {
    read_segment(
        posix_files(), path,
        [&](JournalRecord&& record) {
          auto* entry = std::get_if<UnitRecord>(&record);
          if (entry == nullptr || entry->point != point) return true;
          const Unit& there = entry->result.unit;
          const bool same = there.trial == unit.trial && there.first == unit.first && there.count == unit.count;
          if (same && entry->result.status == UnitStatus::done) found = std::move(*entry);
          return true;
        },
        losses);
  }
  return found;
}

/// Whether the journal has the same; says so.
bool agrees(const UnitResult& result, const std::optional<UnitRecord>& recorded) {
  if (!recorded) {
    fmt::print("the journal has no result of this unit\n");
    return true;
  }
  if (recorded->result.metrics == result.metrics) {
    fmt::print("the journal has the same, from host {}\n", without_control_characters(recorded->host));
    return true;
  }
  for (const auto& [name, metric] : recorded->result.metrics) {
    fmt::print("the journal has {}: sum {} over {}, from host {}\n", name, int128_to_text(metric.sum), metric.count,
               without_control_characters(recorded->host));
  }
  return false;
}

}  // namespace

int replay_command(const Arguments& arguments) {
  po::options_description options("options");
  options.add_options()("folder", po::value<std::string>(), "output folder of a run")(
      "point", po::value<std::string>(), "index in the grid, or content hash")(
      "trial", po::value<std::uint32_t>()->default_value(0), "which chip")(
      "images", po::value<std::string>(), "A..B, both included (default: all of the sweep)")(
      "threads,t", po::value<std::uint32_t>()->default_value(0), "to run with (0: the cores it may use)");
  const auto values = parse_arguments(help, options, "folder", arguments);
  if (!values) return 0;
  const std::string folder = required_argument(help, *values, "folder", "the output folder");
  const SweepContext context = recorded_sweep(folder);
  const auto recorded_class = recorded_numeric_class(posix_files(), folder);
  if (!recorded_class) {
    throw Error(ExitCode::bad_input, folder + ": no journal there: not an output folder of 'crossgrid run'");
  }
  const Unit unit = unit_argument(context, *values);
  const auto threads = (*values)["threads"].as<std::uint32_t>();
  const InferenceJob job{context.sweep.resolved, context.sweep.path, NumericClass::from_text(*recorded_class), ""};
  const auto runner = make_inference_runner(job, threads > 0 ? static_cast<int>(threads) : cores_in_mask());
  const UnitResult result = attempt_unit(*runner, unit, [] {});
  fmt::print("{}\n", unit_line(result));
  for (const auto& [name, metric] : result.metrics) {
    fmt::print("{:<14}mean {:.9g}, sum {} over {}\n", name, metric.mean(), int128_to_text(metric.sum), metric.count);
  }
  if (result.status == UnitStatus::failed) return static_cast<int>(ExitCode::failed_points);
  const bool same = agrees(result, recorded_unit(folder, context.grid.id(unit.point), unit));
  return static_cast<int>(same ? ExitCode::success : ExitCode::bad_input);
}

}  // namespace crossgrid
