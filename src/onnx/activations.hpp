#pragma once

#include <cmath>

#include "crossgrid/base/exponential.hpp"

/// Functions of portable_exp: the same bits on every system.
namespace crossgrid {

inline double exponential(double x) {
  if (!(x > 0)) return portable_exp(x);
  const double root = 1 / portable_exp(-x / 2);
  return root * root;
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
