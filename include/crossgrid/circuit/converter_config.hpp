#pragma once

/// The converter parameters of a sweep (spec.md, dac.* and adc.*), parsed and checked.
namespace crossgrid {

struct Interval {
  double low = 0;
  double high = 0;
  bool operator==(const Interval&) const = default;
};

enum class ConverterModel { ideal, quantizer, sign_magnitude };
enum class DacSign { automatic, is_signed, is_unsigned };
enum class RangeRule { calibrated, maximum, fixed };

struct DacConfig {
  ConverterModel model = ConverterModel::ideal;
  int bits = 8;  ///< 1..16, not used by the ideal model
  DacSign sign = DacSign::automatic;
  RangeRule range = RangeRule::calibrated;  ///< calibrated or fixed
  Interval fixed_range;                     ///< in the layer's input units, where range is fixed
  bool operator==(const DacConfig&) const = default;
};

struct AdcConfig {
  ConverterModel model = ConverterModel::ideal;
  int bits = 8;
  RangeRule range = RangeRule::calibrated;
  Interval fixed_range;  ///< in cell currents at g = 1, x = 1, where range is fixed
  bool operator==(const AdcConfig&) const = default;
};

}  // namespace crossgrid
