#pragma once

#include <cstdint>
#include <vector>

#include "crossgrid/sweep/grid.hpp"
#include "crossgrid/sweep/parameter.hpp"
#include "crossgrid/sweep/problem_list.hpp"

namespace crossgrid {

/// Indices of the axes' values at a point, one per axis.
using Digits = std::vector<std::uint32_t>;

/// Which value every parameter has in every layer: an axis `parameter@pattern` beats an entry of `layers`, that beats a
/// plain axis, and that beats `hardware` (rule R7). Keeps pointers into the sweep.
class HardwareResolver {
 public:
  /// Error(bad_input) for patterns that match no layer, and for two axes that set one parameter in one layer.
  HardwareResolver(const SweepFile& sweep, const std::vector<MatrixLayer>& layers);

  const std::vector<MatrixLayer>& layers() const { return layers_; }
  /// As it was asked for, parameters without effect included.
  LayerHardware hardware(std::size_t layer, const Digits& digits) const;
  /// Where the value that a parameter has in a layer was set; null where it is the default.
  const Place* place(std::size_t layer, const Digits& digits, const Parameter& parameter) const;
  /// Whether a setting of an axis reaches a layer.
  bool reaches(const Setting& setting, std::size_t layer) const;

 private:
  struct AxisSetting {
    const Setting* setting = nullptr;
    std::vector<bool> layers;  ///< reached ones
  };
  using AxisSettings = std::vector<std::vector<std::vector<AxisSetting>>>;  // axis, value

  void apply_layers(const SweepFile& sweep, ProblemList& problems);
  void compile_axes(const SweepFile& sweep, ProblemList& problems);
  void refuse_axes_that_meet(const SweepFile& sweep) const;
  void check_matches(const std::string& pattern, const Place& place) const;
  void check_placed(const Setting& setting, const std::string& pattern) const;

  const SweepFile* sweep_;
  std::vector<MatrixLayer> layers_;
  std::vector<LayerHardware> base_;                           ///< without axes, one per layer
  std::vector<std::vector<const Parameter*>> set_by_layers_;  ///< parameters that `layers` sets, per layer
  AxisSettings plain_;
  AxisSettings patterned_;
};

}  // namespace crossgrid
