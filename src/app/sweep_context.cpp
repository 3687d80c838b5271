#include "crossgrid/app/sweep_context.hpp"

#include <fmt/format.h>

#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "crossgrid/base/error.hpp"

namespace crossgrid {

namespace {

/// Images of `range` in a split of `size` images; the grid has checked that they exist.
std::pair<std::uint64_t, std::uint64_t> image_span(const ImageRange& range, std::uint64_t size) {
  return range.all ? std::pair{std::uint64_t{0}, size} : std::pair{range.first, range.count};
}

void check_fits(const SweepFile& sweep, const Network& network, const Dataset& data) {
  const Shape found{data.channels(), data.height(), data.width()};
  if (found != network.input) {
    throw input_error(
        sweep.path + ": /network",
        fmt::format("the network '{}' takes images of {}x{}x{} (height, width, channels), but {} has {}x{}x{}",
                    network.name, network.input.height, network.input.width, network.input.channels, data.description(),
                    found.height, found.width, found.channels));
  }
  for (std::uint64_t k = 0; k < data.size(); ++k) {
    if (data.label(k) < network.classes) continue;
    throw input_error(sweep.path + ": /network",
                      fmt::format("image {} of {} has label {}, expected 0 to {}, the classes of the network '{}'", k,
                                  data.description(), data.label(k), network.classes - 1, network.name));
  }
}

/// Calibration must never see a test image, under whatever index it is stored.
void check_disjoint(const SweepFile& sweep, const Dataset& test, std::pair<std::uint64_t, std::uint64_t> test_span,
                    const Dataset& calibration, std::pair<std::uint64_t, std::uint64_t> calibration_span) {
  ImageBuffer buffer;
  const auto image_id = [&](const Dataset& data, std::uint64_t index) {
    return std::visit([](const auto& values) { return hash_bytes(values.data(), values.size_bytes()); },
                      data.image(index, buffer));
  };
  std::unordered_map<Id128, std::uint64_t, Id128Hasher> calibrated;
  for (std::uint64_t i = 0; i < calibration_span.second; ++i) {
    calibrated.emplace(image_id(calibration, calibration_span.first + i), calibration_span.first + i);
  }
  for (std::uint64_t i = 0; i < test_span.second; ++i) {
    const auto found = calibrated.find(image_id(test, test_span.first + i));
    if (found == calibrated.end()) continue;
    throw input_error(sweep.path + ": /calibration/images",
                      fmt::format("image {} of split '{}' has the same pixels as test image {} of split '{}'; "
                                  "calibration must not see test images: choose another range",
                                  found->second, sweep.calibration.split, test_span.first + i, sweep.dataset_split));
  }
}

/// What is read for a field of the sweep: a problem with it names the field too.
template <class Read>
auto read_for(const SweepFile& sweep, const char* pointer, const Read& read) {
  try {
    return read();
  } catch (const Error& error) {
    if (error.code() != ExitCode::bad_input) throw;
    throw input_error(sweep.path + ": " + pointer, error.what());
  }
}

/// The sweep's own preprocessing wins over the network file's; floats are scaled only where one of them says so.
void apply_preprocess(const SweepFile& sweep, const Dataset& data, Network& network) {
  if (sweep.preprocess_scale) {
    network.preprocess.scale = *sweep.preprocess_scale;
  } else if (data.floats() && !network.preprocess.scale_given) {
    network.preprocess.scale = 1;
  }
  if (sweep.preprocess_mean) network.preprocess.mean = *sweep.preprocess_mean;
  if (sweep.preprocess_std) network.preprocess.std = *sweep.preprocess_std;
}

std::shared_ptr<const Dataset> open_split(const SweepFile& sweep, const std::string& split) {
  return open_dataset(sweep.dataset_path, sweep.dataset_format, split, sweep.dataset_options);
}

/// The calibration split, or null where there is none and no point needs it (`failure` then says what is missing).
std::shared_ptr<const Dataset> open_calibration(const SweepFile& sweep, std::optional<Error>& failure) {
  try {
    return read_for(sweep, "/calibration/split", [&] { return open_split(sweep, sweep.calibration.split); });
  } catch (const Error& error) {
    failure = error;
    return nullptr;
  }
}

}  // namespace

CalibrationPlan SweepContext::calibration_plan() const {
  CalibrationPlan plan;
  if (ranges) {
    plan.given = layer_ranges(*ranges, matrix_layers(network));
    return plan;
  }
  plan.data = calibration;
  if (calibration) {
    std::tie(plan.first, plan.count) = image_span(sweep.calibration.images, calibration->size());
  }
  plan.fit = sweep.calibration.method;
  plan.percentile = sweep.calibration.percentile;
  return plan;
}

RoundPlan round_plan(const SweepContext& context) {
  return {context.sweep, context.grid, {context.first_image, context.image_count}};
}

void refuse_shards_in_rounds(const SweepFile& sweep) {
  if (!sweep.in_rounds()) return;
  throw Error(ExitCode::usage,
              fmt::format("{}: /{}: decides each round from the results of all chips, which shards can't see of each "
                          "other; run it as one job, with as many workers as you like",
                          sweep.path, sweep.bisect ? "bisect" : "rounds"));
}

SweepContext load_sweep_context(SweepFile sweep, MissingSplit missing) {
  Network network = read_for(sweep, "/network", [&] { return read_network(sweep.network_path); });
  const auto test = read_for(sweep, "/dataset", [&] { return open_split(sweep, sweep.dataset_split); });
  apply_preprocess(sweep, *test, network);
  check_fits(sweep, network, *test);
  std::shared_ptr<const RangeFile> ranges;
  if (!sweep.calibration.file.empty()) {
    ranges = read_for(sweep, "/calibration/file",
                      [&] { return std::make_shared<const RangeFile>(read_range_file(sweep.calibration.file)); });
  }
  std::optional<Error> no_calibration;
  const auto calibration = ranges ? nullptr : open_calibration(sweep, no_calibration);

  GridContext facts;
  facts.layers = matrix_layers(network);
  facts.network = network.content;
  facts.dataset = test->content();
  facts.test_images = test->size();
  if (calibration) {
    check_fits(sweep, network, *calibration);
    if (calibration->floats() != test->floats()) {
      throw input_error(sweep.path + ": /calibration/split",
                        fmt::format("found {}, expected {} as the test images have", calibration->description(),
                                    test->floats() ? "floats" : "pixels"));
    }
    facts.calibration_data = calibration->content();
    facts.calibration_images = calibration->size();
  }
  facts.ranges = ranges;
  Grid grid(sweep, facts);
  if (no_calibration && grid.calibrates() && missing == MissingSplit::refused) throw *no_calibration;

  const auto test_span = image_span(sweep.images, test->size());
  if (calibration && grid.calibrates()) {
    check_disjoint(sweep, *test, test_span, *calibration, image_span(sweep.calibration.images, calibration->size()));
  }
  return SweepContext{std::move(sweep), std::move(network), test, calibration, ranges, std::move(grid),
                      test_span.first,  test_span.second};
}

}  // namespace crossgrid
