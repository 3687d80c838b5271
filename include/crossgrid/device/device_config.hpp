#pragma once

#include <limits>
#include <optional>
#include <vector>

#include "crossgrid/base/shared_content.hpp"
#include "crossgrid/base/standard_draws.hpp"
#include "crossgrid/device/fault_map.hpp"
#include "crossgrid/device/measured_device.hpp"

/// The device parameters of a sweep (spec.md, device.*), parsed and checked. Conductances are normalised by Gmax.
namespace crossgrid {

/// Laws of random errors on a conductance g (physics.md section 4).
enum class ErrorModel {
  none,
  device,  ///< as the device file says
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
  bool active() const { return model == ErrorModel::device || (model != ErrorModel::none && magnitude > 0); }
  /// How it is distributed.
  DrawLaw law() const { return model < ErrorModel::uniform_independent ? DrawLaw::normal : DrawLaw::uniform; }
  bool operator==(const ErrorConfig&) const = default;
};

enum class NoiseSampling { automatic, lumped, per_cell };
enum class DriftModel { none, device };
enum class DriftCompensation { none, global };
enum class IvModel { linear, device, cubic };

/// Cells that can't be programmed.
struct FaultConfig {
  double stuck_on = 0;               ///< fraction of cells at Gmax
  double stuck_off = 0;              ///< fraction of cells at Gmin
  double dead_rows = 0;              ///< fraction of rows that conduct nothing
  double dead_columns = 0;           ///< fraction of columns that conduct nothing
  SharedContent<FaultMap> map = {};  ///< of the matrix's cells
  bool cells() const { return stuck_on > 0 || stuck_off > 0; }
  bool lines() const { return dead_rows > 0 || dead_columns > 0; }
  /// Whether anything is drawn.
  bool active() const { return cells() || lines(); }
  bool operator==(const FaultConfig&) const = default;
};

struct DeviceConfig {
  SharedContent<MeasuredDevice> measured;                         ///< none: a generic device
  double r_min = 1e4;                                             ///< 1 / Gmax [ohm]
  double read_voltage = 0.1;                                      ///< [V]
  double time = 0;                                                ///< since programming [s]
  double on_off_ratio = std::numeric_limits<double>::infinity();  ///< Gmax / Gmin
  std::optional<int> cell_bits;                                   ///< levels 2^bits from Gmin to Gmax; none: continuous
  std::vector<double> levels;                                     ///< ascending, instead of cell_bits; empty: none
  bool clip = false;  ///< clip programmed cells to [Gmin, Gmax], else to >= 0
  ErrorConfig programming_error;
  ErrorConfig read_noise;
  NoiseSampling read_noise_sampling = NoiseSampling::automatic;
  DriftModel drift = DriftModel::none;
  DriftCompensation compensation = DriftCompensation::none;
  IvModel iv = IvModel::linear;
  FaultConfig faults;

  /// Smallest programmable conductance, normalised.
  double g_min() const { return 1.0 / on_off_ratio; }
  /// Largest conductance [S].
  double g_max() const { return 1.0 / r_min; }
  /// Since programming [s], not before the device's first read.
  double drift_time() const { return measured && measured->t0 > time ? measured->t0 : time; }
  /// Whether cells have drifted.
  bool drifts() const { return drift == DriftModel::device && time > (measured ? measured->t0 : 0); }
  /// Whether the device file says how much cells scatter at `time`, in place of a programming error.
  bool scatters_by_drift() const { return drifts() && measured && measured->drift && measured->drift->distribution; }
  /// Whether anything of the device file is asked for.
  bool uses_measurements() const {
    return programming_error.model == ErrorModel::device || read_noise.model == ErrorModel::device ||
           drift == DriftModel::device || iv == IvModel::device;
  }
  /// Whether anything is drawn.
  bool random() const { return errors() || faults.active(); }
  /// Whether a cell's own errors are.
  bool errors() const { return programming_error.active() || read_noise.active() || drifts(); }
  /// The same without anything random: calibration's device.
  DeviceConfig nominal() const {
    DeviceConfig device = *this;
    device.programming_error = device.read_noise = {};
    device.read_noise_sampling = {};
    device.drift = {};
    device.compensation = {};
    device.faults = {};
    device.time = DeviceConfig{}.time;
    if (device.iv == IvModel::linear) {
      device.measured = {};
      device.r_min = DeviceConfig{}.r_min;
      device.read_voltage = DeviceConfig{}.read_voltage;
    }
    return device;
  }
  bool operator==(const DeviceConfig&) const = default;
};

}  // namespace crossgrid
