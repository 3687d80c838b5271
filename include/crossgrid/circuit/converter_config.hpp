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

/// DACs are one of the first three, or pulse_width: the input is the time for which a row is driven at full voltage, in
/// steps like those of quantizer, or of sign_magnitude where inputs are signed.
enum class ConverterModel { ideal, quantizer, sign_magnitude, pulse_width, levels, ramp, sar, pipeline, cyclic, table };
enum class Rounding { nearest, stochastic };
enum class DacSign { automatic, is_signed, is_unsigned };
enum class RangeRule {
  calibrated,
  maximum,     ///< ADC: the largest current that the array can give
  granular,    ///< ADC: steps of the smallest difference that quantised weights and input digits can make
  per_vector,  ///< DAC: every input vector's own largest magnitude (noise management)
  from_model,  ///< DAC: that of a quantised model's integers: `fixed` once it is known (take_model_ranges)
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

/// Random and systematic errors of a converter's circuit (physics.md section 3), relative to the nominal parts.
struct AdcErrors {
  double sigma_capacitor = 0;   ///< of the unit capacitor; one of weight 2^n has 2^(n/2) times that
  double sigma_c1 = 0;          ///< pipeline, cyclic: of C1; the same unit for the next two
  double sigma_c2 = 0;          ///< of C2
  double sigma_cpar = 0;        ///< of the parasitic capacitor, whose mean is 0
  double sigma_comparator = 0;  ///< offsets, of Vref = max(|low|, |high|)
  double gain_db = 100;         ///< open-loop gain of the amplifier [dB]
  bool operator==(const AdcErrors&) const = default;
};

/// Levels of a converter with unequal steps, in fractions of its range: low + f (high - low).
struct AdcLevels {
  bool lloyd_max = false;          ///< `levels` come from calibration (fit_lloyd_max) and are empty before it
  std::vector<double> levels;      ///< outputs, ascending
  std::vector<double> thresholds;  ///< between them, one less than levels; empty: half way
  bool operator==(const AdcLevels&) const = default;
};

/// Measured error of a converter over the ideal column value, by linear interpolation, constant beyond the ends.
struct AdcTable {
  std::vector<double> value;  ///< [cell currents at g = 1, x = 1], ascending
  std::vector<double> mean;   ///< shift of the mean, same unit
  std::vector<double> sigma;  ///< standard deviation, same unit, >= 0
  bool operator==(const AdcTable&) const = default;
};

struct AdcConfig {
  ConverterModel model = ConverterModel::ideal;
  int bits = 8;
  RangeRule range = RangeRule::calibrated;
  std::vector<Interval> fixed_ranges;  ///< cell currents at g = 1, x = 1, where range is fixed: one, or one per slice
  bool per_input_slice = false;        ///< a conversion per input slice, else their analog sum
  int bound_management = 0;            ///< halvings of the inputs while an output clips
  Rounding rounding = Rounding::nearest;
  int group = 8;          ///< columns that share a converter (sar, pipeline, cyclic)
  bool split = true;      ///< sar: two capacitor arrays with a bridge between them
  bool symmetric = true;  ///< ramp: the sign flips the reference, else the capacitor array is unsigned
  AdcErrors errors = {};  ///< ramp, sar, pipeline, cyclic
  AdcLevels levels = {};  ///< model levels
  AdcTable table = {};    ///< model table
  bool operator==(const AdcConfig&) const = default;
};

}  // namespace crossgrid
