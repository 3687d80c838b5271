#pragma once

#include <optional>

#include "crossgrid/circuit/converter_config.hpp"
#include "crossgrid/device/device_config.hpp"

namespace crossgrid {

enum class CoreStyle { balanced, offset };  ///< balanced pairs; digital offset

/// How the weight limit W_max is found (physics.md section 1).
struct WeightClip {
  enum class Rule { factor, quantile, limit } rule = Rule::factor;
  double value = 1;  ///< factor >= 1 of max|W|; quantile in (0.5, 1); limit > 0
  bool operator==(const WeightClip&) const = default;
};

enum class PartitionRule { equal, fill };  ///< spec.md: "equal", "max"

struct CoreConfig {
  CoreStyle style = CoreStyle::balanced;
  bool two_sided = false;          ///< balanced: both cells of a pair move, else only the one that the sign chooses
  std::optional<int> weight_bits;  ///< 2..16, the sign counts; none: continuous
  WeightClip clip;
  bool operator==(const CoreConfig&) const = default;
};

struct ArrayConfig {
  std::optional<int> rows_max;  ///< none: unlimited
  std::optional<int> cols_max;
  PartitionRule rows_partition = PartitionRule::equal;
  PartitionRule cols_partition = PartitionRule::equal;
  bool operator==(const ArrayConfig&) const = default;
};

/// Everything that decides how one layer's products run on crossbars: the resolved hardware of one layer at one point.
struct LayerHardware {
  bool analog = true;  ///< false: this layer is computed digitally in floating point
  CoreConfig core;
  ArrayConfig array;
  DeviceConfig device;
  DacConfig dac;
  AdcConfig adc;
  bool operator==(const LayerHardware&) const = default;
};

}  // namespace crossgrid
