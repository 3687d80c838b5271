#pragma once

#include <cmath>
#include <limits>

#include "crossgrid/base/exponential.hpp"

/// Functions of portable_exp: the same bits on every system.
namespace crossgrid {

inline double exponential(double x) {
  if (!(x > 0)) return portable_exp(x);
  const double root = 1 / portable_exp(-x / 2);
  return root * root;
}

/// ln x of any x
inline double logarithm(double x) {
  if (x <= 0 || std::isinf(x)) return x < 0 ? std::numeric_limits<double>::quiet_NaN() : x == 0 ? -HUGE_VAL : x;
  const bool tiny = x < std::numeric_limits<double>::min();
  return tiny ? portable_log(x * 0x1p54) + portable_log(0x1p-54) : portable_log(x);
}

inline double sigmoid(double x) {
  const double small = portable_exp(-std::abs(x));
  return (x < 0 ? small : 1) / (1 + small);
}

inline double hyperbolic_tangent(double x) {
  if (std::abs(x) < 1e-5) return x;  // to 4e-11 of it, where the quotient below would cancel
  const double small = portable_exp(-2 * std::abs(x));
  return std::copysign((1 - small) / (1 + small), x);
}

/// ln(1 + e^x)
inline double softplus(double x) {
  const double small = portable_exp(-std::abs(x));
  return (x > 0 ? x : 0) + (small < 1e-8 ? small : portable_log(1 + small));
}

}  // namespace crossgrid
