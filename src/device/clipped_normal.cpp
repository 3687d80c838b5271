#include "crossgrid/device/clipped_normal.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <iterator>
#include <limits>

#include "crossgrid/base/rounding.hpp"

namespace crossgrid {
namespace {

/// exp(x) for -700 < x <= 0: x = n ln 2 + r, Taylor's series in r. Plain products and sums here and below: on
/// processors without fma an explicit one is a function call.
double exponential(double x) {
  constexpr double ln2_high = 0x1.62e42fee00000p-1, ln2_low = 0x1.a39ef35793c76p-33;
  constexpr double inverse_factorial[] = {
      1,          1,           1.0 / 2,      1.0 / 6,       1.0 / 24,       1.0 / 120,       1.0 / 720,
      1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};
  const double n = round_half_even(x * 0x1.71547652b82fep+0);
  const double r = (x - n * ln2_high) - n * ln2_low;
  double sum = 0;
  for (std::size_t k = std::size(inverse_factorial); k-- > 0;) sum = sum * r + inverse_factorial[k];
  const auto exponent = static_cast<std::uint64_t>(std::int64_t{1023} + static_cast<int>(n));
  return sum * std::bit_cast<double>(exponent << 52);
}

/// Chebyshev coefficients of (x + 4) tail(x)/density(x) in t = (x - 4)/(x + 4), x >= 0, fitted to 2e-14 (relative).
constexpr double mills_coefficients[] = {2.4325604285150666,      -1.884254574579481,      0.5569566490963849,
                                         -0.1216159721442018,     0.01736070814373076,     -0.0008036212007268163,
                                         -0.0002520349348017877,  4.738371927232607e-05,   2.532589138141387e-06,
                                         -1.540406982348957e-06,  -8.47495802755737e-09,   5.185338882154648e-08,
                                         -2.8281020356138574e-10, -1.9486536831751164e-09, -2.491900021546849e-11,
                                         7.957548879470924e-11,   4.6194632282410435e-12,  -3.2879149168050965e-12,
                                         -4.3447598516697287e-13, 1.2592141518643834e-13,  3.4416426694348225e-14};

/// Upper tail at x, of whose density the caller knows.
double tail(double x, double density) {
  if (x < 0) return 1 - tail(-x, density);
  if (density == 0) return 0;
  const double t = (x - 4) / (x + 4);
  double next = 0, current = 0;  // Clenshaw's recurrence
  for (std::size_t k = std::size(mills_coefficients) - 1; k >= 1; --k) {
    const double previous = 2 * t * current + (mills_coefficients[k] - next);
    next = current;
    current = previous;
  }
  return density * (t * current + (mills_coefficients[0] - next)) / (x + 4);
}

}  // namespace

double normal_density(double x) {
  constexpr double inverse_root_two_pi = 0.39894228040143267794;
  const double square = x * x;
  return square < 1369 ? inverse_root_two_pi * exponential(-0.5 * square) : 0;
}

double normal_upper_tail(double x) {
  return tail(x, normal_density(x));
}

ClippedMoments clipped_normal(double mean, double sigma, double low, double high) {
  if (!(sigma > 0)) return {std::clamp(mean, low, high), 0, 0};
  const double a = (low - mean) / sigma;
  const double b = (high - mean) / sigma;
  constexpr double negligible = 9;  // tail 1e-19
  if (a < -negligible && b > negligible) return {mean, sigma * sigma, 0};

  const bool bounded = b < std::numeric_limits<double>::infinity();
  const double density_a = normal_density(a), density_b = normal_density(b);
  const double below = tail(-a, density_a), above = tail(b, density_b);
  // First two moments of (X - mean) / sigma: an atom at each limit and the normal between.
  const double first = a * below + (bounded ? b * above : 0) + density_a - density_b;
  const double second =
      a * a * below + (bounded ? b * b * above - b * density_b : 0) + (1 - below - above) + a * density_a;
  return {mean + sigma * first, sigma * sigma * std::max(second - first * first, 0.0), below + above};
}

}  // namespace crossgrid
