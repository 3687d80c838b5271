#pragma once

#include "crossgrid/base/host_device.hpp"

namespace crossgrid {

/// Nearest integer, ties to even, for |x| < 2^22 (float) or < 2^51 (double); NaN stays NaN. The sum with a constant
/// whose last bit is worth one does the rounding, which vectorises on every instruction set.
CROSSGRID_HD_INLINE float round_half_even(float x) {
  constexpr float shift = 12582912.0f;  // 1.5 * 2^23
  return (x + shift) - shift;
}
CROSSGRID_HD_INLINE double round_half_even(double x) {
  constexpr double shift = 6755399441055744.0;  // 1.5 * 2^52
  return (x + shift) - shift;
}

/// Fused multiply-add, a b + c rounded once.
CROSSGRID_HD_INLINE float fused(float a, float b, float c) {
#ifdef __CUDA_ARCH__
  return __fmaf_rn(a, b, c);
#else
  return __builtin_fmaf(a, b, c);
#endif
}
CROSSGRID_HD_INLINE double fused(double a, double b, double c) {
#ifdef __CUDA_ARCH__
  return __fma_rn(a, b, c);
#else
  return __builtin_fma(a, b, c);
#endif
}

/// Correctly rounded square root.
CROSSGRID_HD_INLINE float square_root(float x) {
#ifdef __CUDA_ARCH__
  return __fsqrt_rn(x);
#else
  return __builtin_sqrtf(x);
#endif
}

/// x limited to [low, high]; NaN stays NaN.
template <class Real>
CROSSGRID_HD_INLINE Real limited(Real x, Real low, Real high) {
  const Real above = low > x ? low : x;
  return high < above ? high : above;
}

}  // namespace crossgrid
