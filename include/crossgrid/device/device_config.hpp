#pragma once

#include <limits>
#include <optional>

#include "crossgrid/base/standard_draws.hpp"

/// The device parameters of a sweep (spec.md, device.*), parsed and checked. Conductances are normalised by Gmax.
namespace crossgrid {

/// Laws of random errors on a conductance g (physics.md section 4).
enum class ErrorModel {
  none,
  normal_independent,
  normal_proportional,
  normal_inverse,
  uniform_independent,
  uniform_proportional,
  uniform_inverse
};

struct ErrorConfig {
  ErrorModel model = ErrorModel::none;
  /// Standard deviation (normal) or full width (uniform): of Gmax (independent), a fraction of g (proportional), of
  /// Gmax^2 over g (inverse).
  double magnitude = 0;
  /// Whether any draw can change a result.
  bool active() const { return model != ErrorModel::none && magnitude > 0; }
  /// How it is distributed.
  DrawLaw law() const { return model < ErrorModel::uniform_independent ? DrawLaw::normal : DrawLaw::uniform; }
  bool operator==(const ErrorConfig&) const = default;
};

enum class NoiseSampling { automatic, lumped, per_cell };

struct DeviceConfig {
  double on_off_ratio = std::numeric_limits<double>::infinity();  ///< Gmax / Gmin
  std::optional<int> cell_bits;                                   ///< levels 2^bits from Gmin to Gmax; none: continuous
  bool clip = false;  ///< clip programmed cells to [Gmin, Gmax], else to >= 0
  ErrorConfig programming_error;
  ErrorConfig read_noise;
  NoiseSampling read_noise_sampling = NoiseSampling::automatic;

  /// Smallest programmable conductance, normalised.
  double g_min() const { return 1.0 / on_off_ratio; }
  bool operator==(const DeviceConfig&) const = default;
};

}  // namespace crossgrid
