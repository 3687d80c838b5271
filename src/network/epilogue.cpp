#include "crossgrid/network/epilogue.hpp"

#include <algorithm>

#include "crossgrid/base/host_device.hpp"
#include "crossgrid/base/rounding.hpp"

namespace crossgrid {

namespace {

/// What the loops need, by value so that nothing aliases the data.
struct Constants {
  UniformConverter<float> adc, dac;
  float adc_scale, dac_scale;  ///< where ideal
  float scale;
  Clamp clamp;
};

/// One run of values. NaN stays NaN: comparisons keep the value. Where a DAC follows, its limits are the clamp's too.
template <bool Adc, bool Dac, bool Partial>
CROSSGRID_HD_INLINE void finish_run(const Constants c, const float* currents, const float* partial, const float* bias,
                                    float* to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    float current = Adc ? c.adc(currents[i]) : currents[i] * c.adc_scale;
    if (Partial) current += partial[i];
    const float value = fused(current, c.scale, bias[i]);
    to[i] = Dac ? c.dac(value) : limited(value, c.clamp.low, c.clamp.high) * c.dac_scale;
  }
}

template <bool Adc, bool Dac>
CROSSGRID_HD_INLINE void finish_kind(const Constants c, const float* currents, const float* partial, const float* bias,
                                     float* to, std::size_t count) {
  if (partial != nullptr) {
    finish_run<Adc, Dac, true>(c, currents, partial, bias, to, count);
  } else {
    finish_run<Adc, Dac, false>(c, currents, partial, bias, to, count);
  }
}

CROSSGRID_MULTIVERSION
void finish_values(bool adc, bool dac, const Constants c, const float* currents, const float* partial,
                   const float* bias, float* to, std::size_t count) {
  if (adc && dac) return finish_kind<true, true>(c, currents, partial, bias, to, count);
  if (adc) return finish_kind<true, false>(c, currents, partial, bias, to, count);
  if (dac) return finish_kind<false, true>(c, currents, partial, bias, to, count);
  finish_kind<false, false>(c, currents, partial, bias, to, count);
}

CROSSGRID_MULTIVERSION
void add_levels(UniformConverter<float> adc, const float* currents, float* partial, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) partial[i] += adc(currents[i]);
}

CROSSGRID_MULTIVERSION
void add_scaled(float scale, const float* currents, float* partial, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) partial[i] += currents[i] * scale;
}

}  // namespace

Clamp both(const Clamp& first, const Clamp& second) {
  return {std::clamp(first.low, second.low, second.high), std::clamp(first.high, second.low, second.high)};
}

std::vector<float> make_bias_tile(const std::vector<float>& bias, int cols) {
  const int repeats = std::max(1, 512 / cols);
  std::vector<float> tile(static_cast<std::size_t>(repeats) * cols, 0.0f);
  if (bias.empty()) return tile;
  for (int k = 0; k < repeats; ++k)
    std::copy(bias.begin(), bias.end(), tile.begin() + static_cast<std::ptrdiff_t>(k) * cols);
  return tile;
}

void finish(const Epilogue& epilogue, const float* currents, const float* partial, float* to, std::size_t windows,
            int cols) {
  Constants constants{epilogue.adc.levels, epilogue.dac.levels, epilogue.adc.scale,
                      epilogue.dac.scale,  epilogue.scale,      epilogue.clamp};
  if (!epilogue.dac.ideal) {
    const Clamp limits = both(epilogue.clamp, {constants.dac.low, constants.dac.high});
    constants.dac.low = limits.low, constants.dac.high = limits.high;
  }
  const std::size_t total = windows * static_cast<std::size_t>(cols);
  const std::size_t run = epilogue.bias_tile.size();
  for (std::size_t first = 0; first < total; first += run) {
    finish_values(!epilogue.adc.ideal, !epilogue.dac.ideal, constants, currents + first,
                  partial ? partial + first : nullptr, epilogue.bias_tile.data(), to + first,
                  std::min(run, total - first));
  }
}

void accumulate(const Converter<float>& adc, const float* currents, float* partial, std::size_t count, bool first) {
  if (first) {
    convert(currents, partial, count, adc);
  } else if (adc.ideal) {
    add_scaled(adc.scale, currents, partial, count);
  } else {
    add_levels(adc.levels, currents, partial, count);
  }
}

namespace {

CROSSGRID_MULTIVERSION
void add_codes(UniformConverter<float> adc, double step, double base, const float* currents, double* sums,
               std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    sums[i] = fused(static_cast<double>(adc.code(currents[i])), step, sums[i] + base);
  }
}

CROSSGRID_MULTIVERSION
void add_weighted(double weight, const float* currents, double* sums, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) sums[i] = fused(static_cast<double>(currents[i]), weight, sums[i]);
}

}  // namespace

void shift_and_add(const AdcStage& adc, double weight, const float* currents, double* sums, std::size_t count) {
  if (adc.converter.ideal || !adc.banks.empty()) return add_weighted(weight, currents, sums, count);
  const UniformConverter<double>& levels = adc.exact.levels;
  add_codes(adc.converter.levels, weight * levels.step, weight * levels.base, currents, sums, count);
}

}  // namespace crossgrid
