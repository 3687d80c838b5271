#pragma once

#include <cstdint>
#include <cstring>

#include "crossgrid/base/host_device.hpp"
#include "crossgrid/base/rounding.hpp"

/// Exponential and logarithm in double from IEEE operations alone: the same bits on every system, which libm's are not.
/// Relative error below 4e-16 over the given ranges.
namespace crossgrid {

/// e^x for x <= 0; 0 below -700. NaN stays NaN.
CROSSGRID_HD_INLINE double portable_exp(double x) {
  if (x < -700) return 0;
  const double n = round_half_even(x * 1.4426950408889634);
  const double r = fused(n, -1.9082149292705877e-10, fused(n, -0.6931471803691238, x));  // ln 2 in two parts
  double sum = 1.0;
  CROSSGRID_UNROLL(16)
  for (int k = 14; k >= 1; --k) sum = fused(sum * r, 1.0 / k, 1.0);  // Horner's form of the Taylor series
  const std::int64_t exponent = static_cast<std::int64_t>(x == x ? n : 0) + 1023;
  const std::int64_t bits = exponent << 52;
  double power;
  std::memcpy(&power, &bits, sizeof power);
  return sum * power;
}

/// ln x for normal positive x; NaN stays NaN.
CROSSGRID_HD_INLINE double portable_log(double x) {
  if (!(x == x)) return x;
  std::int64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  std::int64_t exponent = (bits >> 52) - 1023;
  bits = (bits & 0xfffffffffffff) | (std::int64_t{1023} << 52);
  double m;
  std::memcpy(&m, &bits, sizeof m);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    ++exponent;
  }
  const double z = (m - 1) / (m + 1), square = z * z;  // ln m = 2 artanh z, |z| < 0.172
  double sum = 1.0 / 25;
  CROSSGRID_UNROLL(16)
  for (int k = 23; k >= 1; k -= 2) sum = fused(sum, square, 1.0 / k);
  const double e = static_cast<double>(exponent);
  return fused(e, 0.6931471803691238, fused(e, 1.9082149292705877e-10, 2 * z * sum));
}

}  // namespace crossgrid
