#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crossgrid/base/id128.hpp"
#include "crossgrid/base/json.hpp"
#include "crossgrid/network/layer_ranges.hpp"
#include "crossgrid/network/network.hpp"
#include "crossgrid/sweep/effective_hardware.hpp"

namespace crossgrid {

/// Converters' ranges of a layer as a file holds them: what it leaves out must not be needed.
struct StoredRanges {
  std::string layer;
  std::optional<Interval> dac;              ///< layer units
  std::vector<Interval> adc;                ///< cell currents; one, or one per weight slice
  std::vector<std::vector<double>> levels;  ///< fractions of the range, ascending, by weight slice

  bool operator==(const StoredRanges&) const = default;
};

/// A file of calibrated ranges (calibration.file; docs/sweep-file.md, "Calibration"), which `crossgrid calibrate`
/// writes and people edit.
struct RangeFile {
  std::string path;
  std::vector<StoredRanges> layers;
  Id128 content;  ///< of the ranges: where they come from and the order of layers don't count

  const StoredRanges* find(std::string_view layer) const;
};

/// Error(bad_input) names file and JSON pointer: unknown keys, a reversed range, levels that don't ascend.
RangeFile read_range_file(const std::string& path);

/// The file's text. provenance: for people, never read back.
std::string range_file_text(const std::vector<StoredRanges>& layers, const Json& provenance);

/// Error(bad_input) where the file names a layer that is not among these.
void check_layers(const RangeFile& file, const std::vector<MatrixLayer>& layers);

/// Why the file's ranges can't serve this layer with this hardware (in its normal form); none where they can.
std::vector<Impossible> range_problems(const RangeFile& file, const LayerHardware& hardware, const MatrixLayer& layer);

/// By matrix layer; what the file leaves out is [0, 1] or empty.
std::vector<LayerRanges> layer_ranges(const RangeFile& file, const std::vector<MatrixLayer>& layers);

/// What calibration found for a layer, without what its hardware does not need.
StoredRanges stored_ranges(const std::string& layer, const LayerHardware& hardware, const LayerRanges& ranges);

}  // namespace crossgrid
