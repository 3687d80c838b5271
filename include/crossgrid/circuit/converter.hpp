#pragma once

#include <cstddef>
#include <cstdint>

#include "crossgrid/base/host_device.hpp"
#include "crossgrid/base/rounding.hpp"
#include "crossgrid/circuit/converter_config.hpp"

namespace crossgrid {

/// A converter with equally spaced levels, both DAC and ADC: clip to [low, high], nearest code (ties to even), the
/// code's level. Infinite values clip; NaN stays NaN, so that it shows up in the metrics. A range of zero width gives
/// its one value.
template <class Real>
struct UniformConverter {
  Real low, high;    ///< input range
  Real to_code;      ///< codes per unit of input
  Real code_offset;  ///< code of input 0
  Real step;         ///< output units per code
  Real base;         ///< output of code 0

  CROSSGRID_HD_INLINE Real code(Real value) const {
    return round_half_even(fused(limited(value, low, high), to_code, code_offset));
  }
  CROSSGRID_HD_INLINE Real operator()(Real value) const { return fused(code(value), step, base); }
};

/// What a converter does to a value: nothing but a scale (ideal, no clipping), or UniformConverter.
template <class Real>
struct Converter {
  bool ideal = true;
  Real scale = 1;  ///< output per input where ideal
  UniformConverter<Real> levels{};

  CROSSGRID_HD_INLINE Real operator()(Real value) const { return ideal ? value * scale : levels(value); }
};

/// Element i of a buffer through a converter (for_each_index, kernels/launch.cuh); the buffers may be the same.
struct ConvertLevels {
  const float* from;
  float* to;
  UniformConverter<float> levels;

  CROSSGRID_HD_INLINE void operator()(std::size_t i) const { to[i] = levels(from[i]); }
};
struct ConvertScale {
  const float* from;
  float* to;
  float scale;

  CROSSGRID_HD_INLINE void operator()(std::size_t i) const { to[i] = from[i] * scale; }
};

/// An ADC over `range` [cell currents]; output in the same unit. quantizer: 2^bits levels with both ends;
/// sign_magnitude: 2^bits - 1 levels k * max(|low|, |high|) / (2^(bits-1) - 1), zero among them. The other models
/// are CircuitAdcs.
template <class Real>
Converter<Real> make_adc(const AdcConfig& config, Interval range);

/// What an ADC's range follows from where it is not calibrated.
struct AdcPlace {
  int slice = 0;            ///< weight slice
  int rows = 1;             ///< inputs that are driven at once
  bool bipolar = false;     ///< currents may be negative (balanced with analog subtraction, or signed inputs)
  double current_step = 0;  ///< smallest difference that quantised weights and input digits can make; granular only
};
/// The range under RangeRule::maximum, granular or fixed (physics.md section 3) [cell currents]. maximum: [-rows, rows]
/// or [0, rows]; granular: steps of current_step from 0 up, or about 0 (which is a code, so the upper end is one step
/// short for the quantizer).
Interval adc_range(const AdcConfig& config, const AdcPlace& place);

/// One of the ranges of a layer's slices: the slice's own, or the one that all share.
const Interval& range_of_slice(const std::vector<Interval>& ranges, int slice);

/// How a layer's inputs meet the DAC (physics.md sections 1.1 and 2): x in the layer's units becomes x / unit.
struct InputScale {
  bool is_signed = false;
  double unit = 1;       ///< high - low unsigned, (high - low) / 2 signed; 1 where that is 0
  Interval range{0, 1};  ///< of the DAC in the layer's units; not below zero where unsigned
};
/// Resolves DacSign::automatic: signed where the range goes below zero.
InputScale input_scale(const DacConfig& config, Interval range);

/// The DAC from layer units to normalised inputs. quantizer: 2^bits levels over the range, both ends; sign_magnitude:
/// 2^bits - 1 levels over [-unit, unit], of which unsigned inputs use those from 0 up; pulse_width: 2^bits lengths over
/// [0, unit], signed ones like sign_magnitude.
template <class Real>
Converter<Real> make_dac(const DacConfig& config, const InputScale& scale);

/// In place, in a loop made for this processor.
void convert(float* values, std::size_t count, const Converter<float>& converter);
/// From one buffer to another (may be the same).
void convert(const float* from, float* to, std::size_t count, const Converter<float>& converter);
/// Values outside [low, high] of a converter: what adc_clip_rate counts. 0 where ideal.
std::uint64_t count_clipped(const float* values, std::size_t count, const Converter<float>& converter);

}  // namespace crossgrid
