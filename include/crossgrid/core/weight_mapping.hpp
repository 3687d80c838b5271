#pragma once

#include <optional>
#include <vector>

#include "crossgrid/base/matrix.hpp"
#include "crossgrid/core/layer_hardware.hpp"
#include "crossgrid/device/conductance_levels.hpp"

namespace crossgrid {

/// The weight that is mapped to +-1 (physics.md section 1.1), found on the whole matrix: factor times max|W|; or for a
/// quantile p the larger of |q_p| and |q_(1-p)| of the signed entries, with linear interpolation; or the given limit.
/// 1 for a matrix of zeros.
double weight_limit(const Matrix& weights, const WeightClip& clip);

/// Target conductances of one weight's cells, normalised by Gmax.
struct CellTargets {
  double plus = 0;  ///< the only cell with CoreStyle::offset
  double minus = 0;
};

/// From weights to target conductances and back from currents to weights' units (physics.md section 1, 3 and 4).
struct WeightMapping {
  CoreStyle style = CoreStyle::balanced;
  bool two_sided = false;
  double limit = 1;         ///< weight that is mapped to +-1; beyond it weights are clipped
  double weight_steps = 0;  ///< 2^(weight_bits - 1) - 1; 0: continuous
  double g_base = 0;        ///< conductance of w = 0 (balanced one-sided) or w = -1
  double g_range = 1;       ///< conductance from there to w = 1
  std::optional<ConductanceLevels<double>> levels;
  std::vector<double> own_levels;  ///< device.levels, empty: none

  CellTargets operator()(double weight) const;
  /// Weight units per current unit.
  double output_scale() const;
  /// What offset cells add to an output per unit of input, in weight units; 0 for balanced ones.
  double offset_coefficient() const;
};

/// Error(bad_input) where the hardware can't hold weights (offset cells of one bit) or weights are not finite.
WeightMapping make_weight_mapping(const Matrix& weights, const LayerHardware& hardware);

}  // namespace crossgrid
