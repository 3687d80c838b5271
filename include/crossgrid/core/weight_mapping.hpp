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

/// From weights to target conductances and back from currents to weights' units (physics.md section 1, 3 and 4). Bit
/// slices hold the digits of the integer weight in base 2^slice_bits, least significant first.
struct WeightMapping {
  CoreStyle style = CoreStyle::balanced;
  bool two_sided = false;
  bool unit_column = false;
  double limit = 1;         ///< weight that is mapped to +-1; beyond it weights are clipped
  double weight_steps = 0;  ///< 2^(weight_bits - 1) - 1; 0: continuous
  int slices = 1;
  int slice_bits = 0;  ///< where slices > 1
  double g_base = 0;   ///< conductance of w = 0 (balanced one-sided), w = -1 (offset), or of digit 0 (slices)
  double g_range = 1;  ///< conductance from there to w = 1, or to the largest digit
  std::optional<ConductanceLevels<double>> levels;
  std::vector<double> own_levels;  ///< device.levels, empty: none

  CellTargets operator()(double weight, int slice = 0) const;
  /// Weight units per unit of a slice's current.
  double output_scale(int slice = 0) const;
  /// What offset cells add to an output per unit of input, in weight units; 0 where nothing is subtracted digitally.
  double offset_coefficient() const;
  /// The smallest difference of a slice's conductances, from quantised weights and levels; 0 where they are continuous.
  double conductance_step() const;

 private:
  double largest_digit() const;
};

/// Error(bad_input) where the hardware can't hold weights (offset cells of one bit) or weights are not finite.
WeightMapping make_weight_mapping(const Matrix& weights, const LayerHardware& hardware);

/// Bits of a weight's digit where it is sliced (physics.md section 1.3): B / S where S divides B, else what holds the
/// magnitude (balanced) or the whole code (offset).
int bits_per_slice(const CoreConfig& core);

/// weights (outputs x inputs) with `rows` more inputs of bias / rows each, which the value 1 drives.
Matrix with_bias_rows(const Matrix& weights, const std::vector<float>& bias, int rows);

}  // namespace crossgrid
