#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "crossgrid/circuit/circuit_adc.hpp"
#include "crossgrid/circuit/converter.hpp"
#include "crossgrid/network/network.hpp"

/// What happens to a layer's currents between its product and the next layer's, in one pass over the cache.
namespace crossgrid {

/// value -> dac(clamp(scale * (partial + adc(value)) + bias)).
struct Epilogue {
  Converter<float> adc;
  float scale = 1;                   ///< layer units per current
  std::span<const float> bias_tile;  ///< the bias repeated, see make_bias_tile
  Clamp clamp = no_clamp;
  Converter<float> dac;  ///< of the only consumer, else nothing (ideal, scale 1)
};

/// One clamp that does what two do one after the other.
Clamp both(const Clamp& first, const Clamp& second);

/// Bias (one per column, empty: zeros) repeated over enough windows for a loop of a few hundred values.
std::vector<float> make_bias_tile(const std::vector<float>& bias, int cols);

/// currents: windows x cols. partial (may be null): sums over earlier row blocks, of the same shape. to: windows x
/// cols, may be `currents` or `partial`.
void finish(const Epilogue& epilogue, const float* currents, const float* partial, float* to, std::size_t windows,
            int cols);

/// partial = adc(currents), or partial += adc(currents) where not `first`.
void accumulate(const Converter<float>& adc, const float* currents, float* partial, std::size_t count, bool first);

/// The converters of one row block and plane as the chain of many conversions uses them.
struct AdcStage {
  Converter<float> converter;                            ///< codes found in float; only its range where there are banks
  Converter<double> exact;                               ///< the same, with exact levels
  std::vector<std::shared_ptr<const CircuitAdc>> banks;  ///< by column array: converters with errors of their circuits
};

/// sums += weight * adc(currents): the digital end of a conversion (what banks have converted is added as it is). In
/// double, so that shifts and adds of codes are exact.
void shift_and_add(const AdcStage& adc, double weight, const float* currents, double* sums, std::size_t count);

}  // namespace crossgrid
