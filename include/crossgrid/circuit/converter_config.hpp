#pragma once

#include <optional>
#include <vector>

/// The converter parameters of a sweep (spec.md, dac.* and adc.*), parsed and checked.
namespace crossgrid {

struct Interval {
  double low = 0;
  double high = 0;
  bool operator==(const Interval&) const = default;
};

enum class ConverterModel { ideal, quantizer, sign_magnitude };
enum class DacSign { automatic, is_signed, is_unsigned };
enum class RangeRule {
  calibrated,
  maximum,     ///< ADC: the largest current that the array can give
  granular,    ///< ADC: steps of the smallest difference that quantised weights and input digits can make
  per_vector,  ///< DAC: every input vector's own largest magnitude (noise management)
  fixed
};

struct DacConfig {
  ConverterModel model = ConverterModel::ideal;
  int bits = 8;  ///< 1..16, not used by the ideal model
  DacSign sign = DacSign::automatic;
  RangeRule range = RangeRule::calibrated;  ///< calibrated, per_vector or fixed
  Interval fixed_range;                     ///< in the layer's input units, where range is fixed
  std::optional<int> slice_bits;            ///< bits of an input that are sent at once; none: all
  bool operator==(const DacConfig&) const = default;
};

struct AdcConfig {
  ConverterModel model = ConverterModel::ideal;
  int bits = 8;
  RangeRule range = RangeRule::calibrated;
  std::vector<Interval> fixed_ranges;  ///< cell currents at g = 1, x = 1, where range is fixed: one, or one per slice
  bool per_input_slice = false;        ///< a conversion per input slice, else their analog sum
  int bound_management = 0;            ///< halvings of the inputs while an output clips
  bool operator==(const AdcConfig&) const = default;
};

}  // namespace crossgrid
