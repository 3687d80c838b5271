#include "crossgrid/circuit/mid_rise.hpp"

#include <algorithm>
#include <cmath>

namespace crossgrid {

MidRise mid_rise(Interval range, int bits) {
  const double reference = std::max(std::abs(range.low), std::abs(range.high));
  const double step = std::ldexp(reference, 1 - bits);
  return {range.low, range.high, reference > 0 ? 1 / reference : 0, step, step / 2 - reference};
}

double amplifier_gain(double db) {
  constexpr double log_10 = 2.302585092994046;
  const double exponent = std::min(db / 20, 300.0);
  const double whole = std::floor(exponent);
  double gain = 1;
  for (int k = 0; k < static_cast<int>(whole); ++k) gain *= 10;
  // exp of less than ln 10 by its series.
  double term = 1, sum = 1;
  for (int k = 1; k < 40; ++k) {
    term *= (exponent - whole) * log_10 / k;
    sum += term;
  }
  return gain * sum;
}

}  // namespace crossgrid
