#include "crossgrid/circuit/converter.hpp"

#include <algorithm>
#include <cmath>

#include "crossgrid/backend/launch.hpp"
#include "crossgrid/base/error.hpp"

namespace crossgrid {
namespace {

/// 2^bits levels from low to high.
UniformConverter<double> with_both_ends(double low, double high, int bits) {
  const double steps = static_cast<double>((1 << bits) - 1);
  const double width = high - low;
  if (!(width > 0)) return {low, low, 0, 0, 0, low};
  return {low, high, steps / width, -low * steps / width, width / steps, low};
}

/// 2^bits - 1 levels from -limit to limit.
UniformConverter<double> sign_magnitude(double limit, int bits) {
  const double steps = static_cast<double>((1 << (bits - 1)) - 1);
  if (!(limit > 0) || steps == 0) return {-limit, limit, 0, 0, 0, 0};
  return {-limit, limit, steps / limit, 0, limit / steps, 0};
}

template <class Real>
UniformConverter<Real> rounded(const UniformConverter<double>& exact) {
  return {static_cast<Real>(exact.low),         static_cast<Real>(exact.high), static_cast<Real>(exact.to_code),
          static_cast<Real>(exact.code_offset), static_cast<Real>(exact.step), static_cast<Real>(exact.base)};
}

CROSSGRID_MULTIVERSION
void run(std::size_t count, const ConvertLevels& element) {
  for_each_index(count, element);
}

CROSSGRID_MULTIVERSION
void run(std::size_t count, const ConvertScale& element) {
  for_each_index(count, element);
}

CROSSGRID_MULTIVERSION
std::uint64_t count_outside(const float* values, std::size_t count, float low, float high) {
  std::uint64_t outside = 0;
  for (std::size_t block = 0; block < count; block += 4096) {  // counted in 32 bits, which vectorise
    const std::size_t end = std::min(count, block + 4096);
    std::uint32_t found = 0;
    for (std::size_t i = block; i < end; ++i) found += ((values[i] < low) | (values[i] > high)) ? 1u : 0u;
    outside += found;
  }
  return outside;
}

}  // namespace

template <class Real>
Converter<Real> make_adc(const AdcConfig& config, Interval range) {
  Converter<Real> adc;
  adc.ideal = config.model == ConverterModel::ideal;
  if (config.model == ConverterModel::quantizer) {
    adc.levels = rounded<Real>(with_both_ends(range.low, range.high, config.bits));
  } else if (config.model == ConverterModel::sign_magnitude) {
    const double limit = std::max(std::abs(range.low), std::abs(range.high));
    adc.levels = rounded<Real>(sign_magnitude(limit, config.bits));
  } else if (!adc.ideal) {
    throw Error(ExitCode::internal, "this converter is a CircuitAdc");
  }
  return adc;
}

Interval adc_range(const AdcConfig& config, const AdcPlace& place) {
  const double rows = place.rows;
  if (config.range == RangeRule::fixed) return range_of_slice(config.fixed_ranges, place.slice);
  if (config.range != RangeRule::granular) return {place.bipolar ? -rows : 0.0, rows};
  const double codes = std::ldexp(1.0, config.bits), step = place.current_step;
  const double high = step * (codes / 2 - 1);
  if (config.model == ConverterModel::sign_magnitude) return {-high, high};
  return place.bipolar ? Interval{-step * codes / 2, high} : Interval{0, step * (codes - 1)};
}

const Interval& range_of_slice(const std::vector<Interval>& ranges, int slice) {
  return ranges.size() == 1 ? ranges.front() : ranges.at(static_cast<std::size_t>(slice));
}

InputScale input_scale(const DacConfig& config, Interval range) {
  InputScale scale;
  scale.is_signed = config.sign == DacSign::is_signed || (config.sign == DacSign::automatic && range.low < 0);
  scale.unit = (range.high - range.low) / (scale.is_signed ? 2 : 1);
  if (!(scale.unit > 0)) scale.unit = 1;
  scale.range = {scale.is_signed ? range.low : std::max(range.low, 0.0), range.high};
  return scale;
}

template <class Real>
Converter<Real> make_dac(const DacConfig& config, const InputScale& scale) {
  Converter<Real> dac;
  dac.ideal = config.model == ConverterModel::ideal;
  dac.scale = static_cast<Real>(1 / scale.unit);
  if (dac.ideal) return dac;
  UniformConverter<double> levels;
  if (config.model == ConverterModel::quantizer) {
    levels = with_both_ends(scale.range.low, scale.range.high, config.bits);
  } else if (config.model == ConverterModel::pulse_width && !scale.is_signed) {
    levels = with_both_ends(0, scale.unit, config.bits);
  } else {
    levels = sign_magnitude(scale.unit, config.bits);
  }
  levels.step /= scale.unit;  // what comes in is in the layer's units, what goes out is normalised
  levels.base /= scale.unit;
  dac.levels = rounded<Real>(levels);
  return dac;
}

template Converter<float> make_adc<float>(const AdcConfig&, Interval);
template Converter<double> make_adc<double>(const AdcConfig&, Interval);
template Converter<float> make_dac<float>(const DacConfig&, const InputScale&);
template Converter<double> make_dac<double>(const DacConfig&, const InputScale&);

void convert(const float* from, float* to, std::size_t count, const Converter<float>& converter) {
  if (!converter.ideal) {
    run(count, ConvertLevels{from, to, converter.levels});
  } else if (converter.scale != 1) {
    run(count, ConvertScale{from, to, converter.scale});
  } else if (from != to) {
    std::copy_n(from, count, to);
  }
}

void convert(float* values, std::size_t count, const Converter<float>& converter) {
  convert(values, values, count, converter);
}

std::uint64_t count_clipped(const float* values, std::size_t count, const Converter<float>& converter) {
  return converter.ideal ? 0 : count_outside(values, count, converter.levels.low, converter.levels.high);
}

}  // namespace crossgrid
