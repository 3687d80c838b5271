#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crossgrid/base/json.hpp"
#include "crossgrid/data/dataset.hpp"
#include "crossgrid/network/range_fit.hpp"
#include "crossgrid/sweep/axis.hpp"
#include "crossgrid/sweep/expected_value.hpp"
#include "crossgrid/sweep/point_rule.hpp"
#include "crossgrid/sweep/round_rules.hpp"

namespace crossgrid {

struct ImageRange {
  bool all = true;
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

/// The word of calibration.method.
const char* method_name(RangeFit fit);

struct CalibrationSpec {
  std::string split = "train";
  ImageRange images{false, 0, 256};
  RangeFit method = RangeFit::least_squares;
  double percentile = 99.99;  ///< where method is percentile
  std::string file;           ///< ranges come from it, not from images; empty: none
};

/// One entry of `layers`: parameters of the layers whose names match; a later entry wins.
struct LayerOverride {
  std::string match;
  std::vector<Setting> settings;
  Place place;
};

/// Overrides from the command line: --set name=value and --grid name=v1,v2 (values are JSON, or bare words).
struct SweepOverrides {
  std::vector<std::string> set;
  std::vector<std::string> grid;
  bool allow_outside = false;  ///< includes may leave the sweep's folder
};

/// A sweep file, parsed and checked as far as it can be without its network (spec.md). Paths are absolute.
struct SweepFile {
  std::string path;  ///< the file it came from
  std::string name;
  std::string about;
  std::string network_path;
  std::string dataset_path;
  std::string dataset_format = "auto";
  std::string dataset_split = "test";
  DatasetOptions dataset_options;
  ImageRange images;
  std::optional<std::vector<double>> preprocess_mean, preprocess_std;  ///< dataset.preprocess, over the network's own
  std::optional<double> preprocess_scale;
  CalibrationSpec calibration;
  std::uint32_t trials = 1;
  std::uint64_t seed = 0;
  std::vector<std::string> metrics{"top1"};
  std::vector<Setting> hardware;
  std::vector<LayerOverride> layers;
  std::vector<Axis> axes;  ///< of the grid, in order; the first is the slowest
  std::vector<PointRule> exclude;
  std::vector<ExpectedValue> expected;
  std::optional<BisectRule> bisect;  ///< at most one of the two: all is run at once where there is none
  std::optional<TrialRounds> rounds;
  bool in_rounds() const { return bisect || rounds; }
  /// The whole sweep with includes and overrides merged in and paths absolute: parse_sweep() of it gives this sweep
  /// again, from any folder. Sent to workers, stored in the output folder and in the journal.
  Json resolved;
};

/// Metrics that a sweep may ask for.
const std::vector<std::string>& known_metrics();

SweepFile read_sweep(const std::string& path, const SweepOverrides& overrides = {});
/// From JSON that was read before; `path` names it in messages and anchors relative paths.
SweepFile parse_sweep(const Json& document, const std::string& path, const SweepOverrides& overrides = {});

/// The JSON Schema (draft-07) of sweep files, made from the same table as the parser; sweeps/schema.json is its text.
Json sweep_schema();

}  // namespace crossgrid
