#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "crossgrid/base/host_device.hpp"
#include "crossgrid/base/rounding.hpp"
#include "crossgrid/circuit/converter_config.hpp"

/// Inputs that are sent in slices of a few bits (physics.md section 2, "input bit slicing").
namespace crossgrid {

/// Digits of an input's magnitude in base 2^slice_bits, least significant first; the sign goes with each.
struct InputSlices {
  int count = 1;               ///< slices; 1: inputs are sent whole
  int slice_bits = 0;          ///< s
  double magnitude_steps = 1;  ///< 2^m - 1 with m magnitude bits

  /// Largest digit, 2^s - 1: slice k of an input is digit / that.
  double largest_digit() const { return std::ldexp(1.0, slice_bits) - 1; }
  /// What slice k counts in the whole input: x = sum_k weight(k) x_k.
  double weight(int k) const {
    return count == 1 ? 1 : largest_digit() * std::ldexp(1.0, slice_bits * k) / magnitude_steps;
  }
};
InputSlices input_slices(const DacConfig& dac);

/// Slice of a normalised input after its DAC.
struct InputDigit {
  float magnitude_steps = 1;
  std::int32_t shift = 0, mask = 0;
  float step = 1;  ///< 1 / largest digit

  CROSSGRID_HD_INLINE std::int32_t of_size(float size) const {
    return (static_cast<std::int32_t>(fused(size, magnitude_steps, 0.5f)) >> shift) & mask;
  }
  CROSSGRID_HD_INLINE float operator()(float x) const {
    const float size = x < 0 ? -x : x == x ? x : 0;
    const float value = static_cast<float>(of_size(size)) * step;
    return x < 0 ? -value : x == x ? value : x;  // NaN stays NaN
  }
};
InputDigit input_digit(const InputSlices& slices, int k);

/// Element i of a buffer of driven inputs (for_each_index, kernels/launch.cuh).
struct SliceInput {
  const float* from;
  float* to;
  InputDigit digit;

  CROSSGRID_HD_INLINE void operator()(std::size_t i) const { to[i] = digit(from[i]); }
};
/// The same as integers, of inputs of one sign only (+1 or -1); the others, NaNs too, give 0.
struct DigitOfInput {
  const float* from;
  std::uint8_t* to;
  InputDigit digit;
  float sign;

  CROSSGRID_HD_INLINE void operator()(std::size_t i) const {
    const float x = from[i] * sign;
    to[i] = static_cast<std::uint8_t>(digit.of_size(x > 0 ? x : 0));
  }
};
/// The sum over slices of (weight(k) x_k)^2: what read noise of an analog sum of slices grows with.
struct SquareSlices {
  const float* from;
  float* to;
  float magnitude_steps;
  std::int32_t slice_bits, count;

  CROSSGRID_HD_INLINE void operator()(std::size_t i) const {
    const float x = from[i];
    const float size = x < 0 ? -x : x == x ? x : 0;
    const auto code = static_cast<std::int32_t>(fused(size, magnitude_steps, 0.5f));
    const std::int32_t mask = (1 << slice_bits) - 1;
    float sum = 0;
    for (std::int32_t k = 0; k < count; ++k) {
      const float part = static_cast<float>(code & (mask << (slice_bits * k))) / magnitude_steps;
      sum = fused(part, part, sum);
    }
    to[i] = x == x ? sum : x;
  }
};

void slice_inputs(const float* from, float* to, std::size_t count, const InputDigit& digit);
/// Digits, at most 8 bits each, of inputs of one sign.
void input_digits(const float* from, std::uint8_t* to, std::size_t count, const InputDigit& digit, float sign);
void square_slices(const float* from, float* to, std::size_t count, const InputSlices& slices);

}  // namespace crossgrid
