#pragma once

#include <cstddef>

#include "crossgrid/circuit/mid_rise.hpp"
#include "crossgrid/circuit/step_table.hpp"

namespace crossgrid {

/// The capacitor array whose levels the ramp of all columns goes through (physics.md section 3), in ratios to Vref.
struct RampDac {
  const double* weight;  ///< of bits 0 to bits - 1, in units of the reference capacitor
  int bits;
  bool symmetric;
  double gain_base, gain_slope;  ///< of the divisor that the finite gain makes
  double half_step;              ///< 2^-bits

  /// Level of a code; the weights of its bits are added from the least significant one on.
  CROSSGRID_HD_INLINE double level(int code) const {
    const int middle = 1 << (bits - 1);
    const int size = !symmetric ? code : code < middle ? middle - code : code - middle;
    double sum = 0;
    for (int bit = 0; bit < bits; ++bit) sum += (size >> bit & 1) != 0 ? weight[bit] : 0.0;
    const double plain = !symmetric      ? fused(2.0, sum, half_step - 1)
                         : code < middle ? half_step - sum
                                         : half_step + sum;
    return plain / fused(sum, gain_slope, gain_base);
  }
};

/// Element i of one row: the code whose level is nearest to the input with the column's comparator offset, ties to the
/// lower code, from a table of thresholds.
struct ConvertRamp {
  float* values;
  const double* offsets;  ///< one per column, ratios to Vref
  MidRise scale;
  StepTable table;  ///< from ratios to outputs

  CROSSGRID_HD_INLINE void operator()(std::size_t i) const { values[i] = table(scale.ratio(values[i]) + offsets[i]); }
};

/// The same without a table, which would be large above 12 bits: tries the codes within `reach` of the nominal one.
struct SearchRamp {
  float* values;
  const double* offsets;
  MidRise scale;
  RampDac dac;
  int reach;  ///< no nearer level is farther away

  CROSSGRID_HD_INLINE void operator()(std::size_t i) const {
    const double input = scale.ratio(values[i]) + offsets[i];
    const int codes = 1 << dac.bits;
    const double nominal = limited((input + 1) * 0.5 * codes, 0.0, static_cast<double>(codes - 1));
    const int middle = nominal == nominal ? static_cast<int>(nominal) : 0;
    const int first = middle > reach ? middle - reach : 0;
    const int last = middle + reach < codes ? middle + reach : codes - 1;
    int best = first;
    double nearest = distance(input, first);
    for (int code = first + 1; code <= last; ++code) {
      const double found = distance(input, code);
      best = found < nearest ? code : best;
      nearest = found < nearest ? found : nearest;
    }
    values[i] = scale.output(best, input);
  }

  CROSSGRID_HD_INLINE double distance(double input, int code) const {
    const double difference = input - dac.level(code);
    return difference < 0 ? -difference : difference;
  }
};

}  // namespace crossgrid
