#include "point_context.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "crossgrid/base/version.hpp"
#include "crossgrid/sweep/parameter.hpp"

namespace crossgrid {

namespace {

/// First image and count.
std::pair<std::uint64_t, std::uint64_t> span_of(const ImageRange& range, std::uint64_t size, const std::string& what,
                                                const SweepFile& sweep, const std::string& split) {
  if (range.all) {
    if (size == 0) {
      throw input_error(sweep.path + ": /" + what, fmt::format("split '{}' has no images", split));
    }
    return {0, size};
  }
  if (range.first >= size || range.count > size - range.first) {
    throw input_error(sweep.path + ": /" + what, fmt::format("images {} to {} are asked for, but split '{}' has {}",
                                                             range.first, range.first + range.count - 1, split, size));
  }
  return {range.first, range.count};
}

/// What calibrated ranges follow from: a file's content, or images and method.
Json calibration_leaves(const CalibrationSpec& calibration, const GridContext& facts) {
  if (facts.ranges) {
    return {{"calibration.file", facts.ranges->content.hex()}};
  }
  const bool all = calibration.images.all;
  Json leaves{{"calibration", facts.calibration_data.hex()},
              {"calibration.images.first", all ? 0 : calibration.images.first},
              {"calibration.images.count", all ? facts.calibration_images : calibration.images.count},
              {"calibration.method", method_name(calibration.method)}};
  if (calibration.method == RangeFit::percentile) {
    leaves["calibration.percentile"] = calibration.percentile;
  }
  return leaves;
}

Id128 sum_of(const Json& leaves) {
  Id128 sum;
  for (const auto& [path, value] : leaves.items()) {
    sum += hash_text(path + "=" + canonical_text(value));
  }
  return sum;
}

}  // namespace

PointContext::PointContext(const SweepFile& sweep, const GridContext& facts)
    : images_(span_of(sweep.images, facts.test_images, "dataset/images", sweep, sweep.dataset_split)),
      calibration_images_(facts.calibration_images) {
  always_ = {{"physics_version", physics_version},
             {"network", facts.network.hex()},
             {"dataset", facts.dataset.hex()},
             {"dataset.images.first", images_.first},
             {"dataset.images.count", images_.second}};
  if (sweep.preprocess_scale) {
    always_["dataset.preprocess.scale"] = *sweep.preprocess_scale;
  }
  if (sweep.preprocess_mean) {
    always_["dataset.preprocess.mean"] = *sweep.preprocess_mean;
  }
  if (sweep.preprocess_std) {
    always_["dataset.preprocess.std"] = *sweep.preprocess_std;
  }
  seed_ = {{"seed", sweep.seed}};
  calibration_ = calibration_leaves(sweep.calibration, facts);
  for (const bool draws : {false, true}) {
    for (const bool calibrates : {false, true}) {
      ids_[draws ? 1 : 0][calibrates ? 1 : 0] = sum_of(leaves(draws, calibrates));
    }
  }
}

void PointContext::check_calibration(const SweepFile& sweep) const {
  if (calibration_images_ == 0) {
    return;  // Ranges come from a file, or the split could not be opened: the caller knows.
  }
  const std::string& split = sweep.calibration.split;
  const auto [first, count] =
      span_of(sweep.calibration.images, calibration_images_, "calibration/images", sweep, split);
  const bool meet = first < images_.first + images_.second && images_.first < first + count;
  if (split == sweep.dataset_split && meet) {
    throw input_error(
        sweep.path + ": /calibration/images",
        fmt::format("images {} to {} of split '{}' meet the test images {} to {}; calibration must not see them", first,
                    first + count - 1, split, images_.first, images_.first + images_.second - 1));
  }
}

Json PointContext::leaves(bool draws, bool calibrates) const {
  Json flat = always_;
  if (draws) {
    flat.update(seed_);
  }
  if (calibrates) {
    flat.update(calibration_);
  }
  return flat;
}

namespace {

/// The layers in which a parameter has an effect, with its values there.
std::vector<std::pair<std::size_t, Json>> active_values(const Parameter& parameter,
                                                        const std::vector<MatrixLayer>& layers,
                                                        const std::vector<LayerHardware>& hardware) {
  std::vector<std::pair<std::size_t, Json>> values;
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    const bool active = !parameter.inert || parameter.inert(hardware[layer], layers[layer]).empty();
    if (hardware[layer].analog && active) {
      values.emplace_back(layer, column_value(parameter.get(hardware[layer])));
    }
  }
  return values;
}

}  // namespace

void add_hardware_leaves(Json& flat, const std::vector<MatrixLayer>& layers,
                         const std::vector<LayerHardware>& hardware) {
  const auto analog = static_cast<std::size_t>(
      std::count_if(hardware.begin(), hardware.end(), [](const LayerHardware& layer) { return layer.analog; }));
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    if (!hardware[layer].analog) {
      flat["analog@" + layers[layer].name] = false;
    }
  }
  for (const Parameter& parameter : parameters()) {
    if (!parameter.get || parameter.path == "analog") {
      continue;
    }
    const auto values = active_values(parameter, layers, hardware);
    const bool agree = std::all_of(values.begin(), values.end(),
                                   [&](const auto& item) { return item.second == values.front().second; });
    if (values.empty()) {
      continue;
    }
    if (agree && values.size() == analog) {
      flat[parameter.path] = values.front().second;
      continue;
    }
    for (const auto& [layer, value] : values) {
      flat[parameter.path + "@" + layers[layer].name] = value;
    }
  }
}

}  // namespace crossgrid
