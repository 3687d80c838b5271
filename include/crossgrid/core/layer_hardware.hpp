#pragma once

#include <optional>

#include "crossgrid/array/wire_segments.hpp"
#include "crossgrid/circuit/converter_config.hpp"
#include "crossgrid/core/partition.hpp"
#include "crossgrid/device/device_config.hpp"

namespace crossgrid {

enum class CoreStyle { balanced, offset };  ///< balanced pairs; digital offset

/// How the weight limit W_max is found (physics.md section 1).
struct WeightClip {
  enum class Rule {
    factor,
    quantile,
    limit,
    from_model  ///< of a quantised model's integers (take_model_ranges): `limit`, or `value` beside column_scales
  } rule = Rule::factor;
  double value = 1;  ///< factor >= 1 of max|W|; quantile in (0.5, 1); limit > 0
  bool operator==(const WeightClip&) const = default;
};

enum class Subtraction { analog, digital };  ///< of a balanced pair's currents: before one ADC, or after one ADC each

/// How the groups of a grouped convolution lie on arrays (physics.md section 6): as the blocks of one matrix whose
/// other cells are programmed to 0, or on arrays of their own.
enum class GroupedMatrix { shared, per_group };

/// Neighbouring windows of a convolution that share arrays and are computed by one MVM: x side by side in y rows, each
/// by a copy of the kernel. The copies are the blocks of one matrix whose other cells are programmed to 0; rows of a
/// bias are common to them.
struct WindowTile {
  int x = 1, y = 1;
  int windows() const { return x * y; }
  bool operator==(const WindowTile&) const = default;
};

struct CoreConfig {
  CoreStyle style = CoreStyle::balanced;
  bool two_sided = false;          ///< balanced: both cells of a pair move, else only the one that the sign chooses
  std::optional<int> weight_bits;  ///< 2..16, the sign counts; none: continuous
  int slices = 1;                  ///< arrays that share the bits of a weight; > 1 needs weight_bits
  Subtraction subtract = Subtraction::analog;
  bool interleaved = false;  ///< balanced: the cells of a pair share a bit line
  bool unit_column = false;  ///< offset: taken from a column of the same array, else digitally
  WeightClip clip;
  /// By output of the layer: what its weights are divided by before arrays hold them and its sums multiplied by,
  /// digitally. Empty: 1.
  std::vector<double> column_scales;
  bool bias_in_rows = false;  ///< the bias is held by further rows of the arrays, else added digitally
  int bias_rows = 1;          ///< how many, where it is
  int bias_row_count() const { return bias_in_rows ? bias_rows : 0; }
  bool operator==(const CoreConfig&) const = default;
};

/// Resistances of an array's wires [ohm] and how they meet its cells (physics.md section 5).
struct WiresConfig {
  double r_row = 0, r_col = 0;          ///< of a segment of a word line, of a bit line
  double r_row_end = 0, r_col_end = 0;  ///< of a driver, of an ADC: in series with the first, the last segment
  WireSource source = WireSource::input;
  UsedRows used_rows = UsedRows::top;  ///< separate source: of arrays of rows_max rows
  WireNoise read_noise = WireNoise::first_order;

  bool any() const { return r_row > 0 || r_col > 0 || r_row_end > 0 || r_col_end > 0; }
  bool operator==(const WiresConfig&) const = default;
};

struct ArrayConfig {
  std::optional<int> rows_max;  ///< none: unlimited
  std::optional<int> cols_max;
  PartitionRule rows_partition;
  PartitionRule cols_partition;
  std::optional<int> rows_active;            ///< rows that are driven at once; none: all
  std::optional<double> column_current_max;  ///< cell currents at g = 1, x = 1; none: unlimited
  WiresConfig wires;
  bool operator==(const ArrayConfig&) const = default;
};

/// Of the simulation; float64: cell by cell, and every array with wires as a whole circuit: a slow check
/// (ReferenceNetwork).
enum class Precision { float32, float64 };

/// Everything that decides how one layer's products run on crossbars: the resolved hardware of one layer at one point.
struct LayerHardware {
  bool analog = true;  ///< false: this layer is computed digitally in floating point
  CoreConfig core;
  ArrayConfig array;
  DeviceConfig device;
  DacConfig dac;
  AdcConfig adc;
  GroupedMatrix grouped = GroupedMatrix::shared;
  WindowTile window;  ///< of a convolution
  Precision precision = Precision::float32;
  bool operator==(const LayerHardware&) const = default;

  /// Whether each MVM is a circuit of its own, which no product gives.
  bool solves_circuits() const {
    return array.wires.any() &&
           (array.wires.source == WireSource::separate || device.iv != IvModel::linear || device.read_noise.active());
  }

  /// The same without anything random: calibration's chip.
  LayerHardware nominal() const {
    LayerHardware hardware = *this;
    hardware.device = device.nominal();
    if (array.wires.any()) hardware.device.r_min = device.r_min;  // what wires are compared with
    return hardware;
  }
};

}  // namespace crossgrid
