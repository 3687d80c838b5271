#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "crossgrid/base/id128.hpp"
#include "crossgrid/base/json.hpp"
#include "crossgrid/core/layer_hardware.hpp"
#include "crossgrid/network/network.hpp"
#include "crossgrid/sweep/range_file.hpp"
#include "crossgrid/sweep/sweep_file.hpp"

namespace crossgrid {

/// One combination of the grid, ready to run.
struct Point {
  std::uint64_t index = 0;                         ///< place in the cartesian product, the first axis slowest
  Id128 id;                                        ///< content hash; equal chips have equal ids
  std::vector<std::pair<std::string, Json>> axes;  ///< columns of points.jsonl: parameter or axis name -> value
  std::vector<LayerHardware> hardware;             ///< one per matrix layer of the network, in order
  bool deterministic = false;                      ///< no random draw anywhere: one trial
  std::uint32_t trials = 1;
};

/// What of a point says which chips it has.
struct PointIdentity {
  Id128 id;
  std::uint32_t trials = 1;
};

/// What identifies a point besides its parameters (rule R5).
struct GridContext {
  std::vector<MatrixLayer> layers;
  Id128 network;                            ///< content of the network file
  Id128 dataset;                            ///< content of the test split
  Id128 calibration_data;                   ///< content of the calibration split
  std::uint64_t test_images = 0;            ///< size of the test split
  std::uint64_t calibration_images = 0;     ///< size of the calibration split
  std::shared_ptr<const RangeFile> ranges;  ///< calibration.file, in place of the split; null: none
};

/// The cartesian grid of a sweep over one network. Construction checks everything that needs the network: patterns that
/// match no layer, axes without effect (rule R2), image ranges, hardware that can't be built, ranges that a file lacks,
/// an empty grid, expected values of points that `exclude` drops. Points are made on request, so a grid of 10^6 points
/// costs no memory (with `exclude`, a bit per combination).
///
/// Indices count the points that `exclude` leaves, 0 to size() - 1. Points of equal id have equal hardware (parameters
/// without effect hold their defaults in it), and with it equal results.
class Grid {
 public:
  Grid(const SweepFile& sweep, const GridContext& context);

  std::uint64_t size() const;
  /// Columns that axes make, in order.
  std::vector<std::string> columns() const;
  /// Everything of point `index`.
  Point point(std::uint64_t index) const;
  /// The same without its hardware, at a fraction of the cost: what a row of the database shows.
  Point outline(std::uint64_t index) const;
  /// Only its id, at the cost of a few additions per axis where that is possible.
  Id128 id(std::uint64_t index) const { return identity(index).id; }
  /// Its id and its number of trials, at the same cost.
  PointIdentity identity(std::uint64_t index) const;
  /// Whether an earlier point has the same id. The first call looks at all points.
  bool repeats(std::uint64_t index) const;
  /// Indices of the points that a rule speaks of, ascending.
  std::vector<std::uint64_t> matches(const PointRule& rule) const;
  /// Indices of the points that differ in one axis only, in the order of its values: a list for each combination of the
  /// other axes, in the order of the grid. Combinations that `exclude` leaves no point are left out.
  std::vector<std::vector<std::uint64_t>> lines(std::size_t axis) const;
  /// Whether any point's ranges are calibrated (on images or by a file); where not, calibration is in no id.
  bool calibrates() const;
  /// Its number of trials: 1 where nothing is random (rule R8).
  std::uint32_t trials(std::uint64_t index) const { return identity(index).trials; }
  /// The resolved configuration of a point as flat (dotted path -> value) JSON, inert parameters left out, layers'
  /// own values as path@layer: what the journal's definition line stores and `explain` prints.
  Json resolved(std::uint64_t index) const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace crossgrid
