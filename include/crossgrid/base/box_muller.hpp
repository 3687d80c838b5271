#pragma once

#include <cstdint>

#include "crossgrid/base/host_device.hpp"
#include "crossgrid/base/rounding.hpp"

namespace crossgrid {

struct NormalPair {
  float first, second;
};

/// Two independent standard normals from two random words (Box and Muller 1958). No libm: integer operations,
/// polynomials by explicit fma and a correctly rounded square root give the same bits on every processor. The radius
/// comes from 31 bits and is at most sqrt(64 ln 2) = 6.66; relative error of a draw about 2e-7. Polynomials: minimax
/// fits of -2 ln(1+f)/f, sin(pi/4 t)/t and (cos(pi/4 t) - 1)/t^2.
CROSSGRID_HD_INLINE NormalPair box_muller(std::uint32_t radius_word, std::uint32_t angle_word) {
  // u in [2^-32, 1]: a signed conversion, since AVX2 has no unsigned one.
  const float u = fused(static_cast<float>(static_cast<std::int32_t>(radius_word >> 1)), 0x1p-31f, 0x1p-32f);
  // u = 2^exponent (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)).
  const std::int32_t bits = __builtin_bit_cast(std::int32_t, u);
  const std::int32_t exponent = (bits - 0x3f3504f3) >> 23;
  const float f = __builtin_bit_cast(float, bits - exponent * 0x800000) - 1.0f;
  float log = -0.17444487f;
  log = fused(log, f, 0.28733575f);
  log = fused(log, f, -0.29904565f);
  log = fused(log, f, 0.33124804f);
  log = fused(log, f, -0.39913666f);
  log = fused(log, f, 0.5000415f);
  log = fused(log, f, -0.66668373f);
  log = fused(log, f, 0.99999976f);
  log = fused(log, f, -2.0f);
  const float radius = square_root(fused(log, f, static_cast<float>(exponent) * -1.38629436f));

  // The lower 30 bits of the angle: t in [-1, 1], an eighth of a turn to each side; the upper two: which quarter.
  const float t = static_cast<float>(static_cast<std::int32_t>(angle_word << 2)) * 0x1p-31f;
  const float t2 = t * t;
  float sine = fused(-3.5950452e-05f, t2, 0.002490001f);
  sine = fused(sine, t2, -0.080745436f);
  sine = fused(sine, t2, 0.7853982f) * t;
  float cosine = fused(-0.00031916014f, t2, 0.015850397f);
  cosine = fused(cosine, t2, -0.3084245f);
  cosine = fused(cosine, t2, 1.0f);
  const std::uint32_t opposite = angle_word & 0x80000000u;
  const std::uint32_t cosine_bits = __builtin_bit_cast(std::uint32_t, cosine) ^ opposite;
  const std::uint32_t sine_bits = __builtin_bit_cast(std::uint32_t, sine);
  // Bitwise, since a choice between two floats stops GCC from vectorising.
  const std::uint32_t swap_mask = 0u - ((angle_word >> 30) & 1u);
  const std::uint32_t difference = (cosine_bits ^ sine_bits) & swap_mask;
  return {radius * __builtin_bit_cast(float, cosine_bits ^ difference),
          radius * __builtin_bit_cast(float, sine_bits ^ difference)};
}

}  // namespace crossgrid
