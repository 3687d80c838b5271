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

/// Cells that can't be programmed.
struct FaultConfig {
  double stuck_on = 0;   ///< fraction of cells at Gmax
  double stuck_off = 0;  ///< fraction of cells at Gmin
  bool active() const { return stuck_on > 0 || stuck_off > 0; }
  bool operator==(const FaultConfig&) const = default;
};

struct DeviceConfig {
  double on_off_ratio = std::numeric_limits<double>::infinity();  ///< Gmax / Gmin
  std::optional<int> cell_bits;                                   ///< levels 2^bits from Gmin to Gmax; none: continuous
  bool clip = false;  ///< clip programmed cells to [Gmin, Gmax], else to >= 0
  ErrorConfig programming_error;
  ErrorConfig read_noise;
  NoiseSampling read_noise_sampling = NoiseSampling::automatic;
  FaultConfig faults;

  /// Smallest programmable conductance, normalised.
  double g_min() const { return 1.0 / on_off_ratio; }
  /// Whether anything is drawn.
  bool random() const { return programming_error.active() || read_noise.active() || faults.active(); }
  /// The same without anything random: calibration's device.
  DeviceConfig nominal() const {
    DeviceConfig device = *this;
    device.programming_error = device.read_noise = {};
    device.read_noise_sampling = {};
    device.faults = {};
    return device;
  }
  bool operator==(const DeviceConfig&) const = default;
};

}  // namespace crossgrid
