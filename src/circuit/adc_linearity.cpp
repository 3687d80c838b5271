#include "crossgrid/circuit/adc_linearity.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "crossgrid/base/error.hpp"
#include "crossgrid/circuit/converter.hpp"
#include "crossgrid/circuit/mid_rise.hpp"

namespace crossgrid {
namespace {

/// Conversions of each code under a slow ramp.
std::vector<std::uint64_t> code_density(const ConvertColumn& convert, double lowest, double step, int codes,
                                        int samples_per_code) {
  const std::size_t samples = static_cast<std::size_t>(codes) * static_cast<std::size_t>(samples_per_code);
  std::vector<float> values(samples);
  for (std::size_t i = 0; i < samples; ++i) {
    values[i] = static_cast<float>(lowest + ((static_cast<double>(i) + 0.5) / samples_per_code - 0.5) * step);
  }
  convert(values.data(), samples);
  std::vector<std::uint64_t> counts(static_cast<std::size_t>(codes));
  for (const float value : values) {
    const double code = std::nearbyint((static_cast<double>(value) - lowest) / step);
    ++counts[static_cast<std::size_t>(std::clamp(code, 0.0, static_cast<double>(codes - 1)))];
  }
  return counts;
}

}  // namespace

double largest_magnitude(const std::vector<double>& values) {
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

AdcLinearity measure_linearity(const ConvertColumn& convert, double lowest, double step, int codes,
                               int samples_per_code) {
  const auto counts = code_density(convert, lowest, step, codes, samples_per_code);
  AdcLinearity found;
  double inside = 0;
  for (std::size_t k = 1; k + 1 < counts.size(); ++k) inside += static_cast<double>(counts[k]);
  const double mean = inside / std::max(static_cast<double>(counts.size()) - 2, 1.0);
  double edge = 0;
  for (std::size_t k = 1; k < counts.size(); ++k) {
    found.inl.push_back(edge);
    if (k + 1 == counts.size()) break;
    found.dnl.push_back(mean > 0 ? static_cast<double>(counts[k]) / mean - 1 : -1);
    edge += found.dnl.back();
  }
  for (const std::uint64_t count : counts) found.missing.push_back(count == 0);
  return found;
}

AdcLinearity measure_linearity(const AdcConfig& config, Interval range, const AdcStreams& streams,
                               int samples_per_code) {
  if (config.model == ConverterModel::ideal || config.model == ConverterModel::levels) {
    throw Error(ExitCode::internal, "a converter without equal levels has no linearity");
  }
  double lowest = range.low;
  int codes = 1 << config.bits;
  double step = 0;
  const bool quantizer = config.model == ConverterModel::quantizer || config.model == ConverterModel::table;
  if (quantizer) {
    step = (range.high - range.low) / (std::ldexp(1.0, config.bits) - 1);
  } else if (config.model == ConverterModel::sign_magnitude) {
    const double limit = std::max(std::abs(range.low), std::abs(range.high));
    step = limit / (std::ldexp(1.0, config.bits - 1) - 1);
    lowest = -limit;
    --codes;
  } else {
    const MidRise scale = mid_rise(range, config.bits);
    lowest = scale.base;
    step = scale.step;
  }
  if (!needs_circuit_adc(config)) {
    const Converter<float> adc = make_adc<float>(config, range);
    return measure_linearity([&](float* values, std::size_t count) { convert(values, count, adc); }, lowest, step,
                             codes, samples_per_code);
  }
  // Columns beside each other are faster than windows; only a ramp has a comparator for each column.
  const auto one_converter = [&](float* values, std::size_t count) {
    const auto n = static_cast<int>(count);
    const bool beside = config.model != ConverterModel::ramp;
    AdcConfig shared = config;
    shared.group = n;
    const auto adc = make_circuit_adc(shared, range, beside ? n : 1, streams);
    adc->convert(values, beside ? 1 : n, beside ? n : 1, 1, {0, 0, 0, beside ? n : 1, 0});
  };
  return measure_linearity(one_converter, lowest, step, codes, samples_per_code);
}

}  // namespace crossgrid
