#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "crossgrid/base/philox.hpp"
#include "crossgrid/circuit/converter_config.hpp"

namespace crossgrid {

/// What a conversion's random draws are counted by.
struct ConversionPlace {
  std::uint32_t image = 0;         ///< draw counter word 2
  std::uint32_t cycle = 0;         ///< draw counter word 3: which conversion of the MVM
  std::uint64_t first_window = 0;  ///< window of the first row of currents
  /// Draws are counted by window * matrix_cols + col_first + column.
  int matrix_cols = 0, col_first = 0;
};

/// Draw of a window's first column.
inline std::uint64_t first_draw(const ConversionPlace& place, int window) {
  return (place.first_window + static_cast<std::uint64_t>(window)) * static_cast<std::uint64_t>(place.matrix_cols) +
         static_cast<std::uint64_t>(place.col_first);
}

/// Where a converter's errors come from: one array and direction.
struct AdcStreams {
  PhiloxKey mismatch;  ///< drawn once, the same for every range
  PhiloxKey draws;     ///< drawn for every conversion
};

/// The converter (or bank of converters) behind the columns of one array. Immutable, shared by threads.
class CircuitAdc {
 public:
  virtual ~CircuitAdc() = default;
  /// In place: windows x cols currents [cell currents at g = 1, x = 1] become the converter's outputs, same unit.
  /// cols: at most those that it was made for. stride: floats between windows. NaN stays NaN.
  virtual void convert(float* currents, int windows, int cols, std::ptrdiff_t stride,
                       const ConversionPlace& place) const = 0;
  /// [lo, hi]: values outside are clipped (and counted by adc_clip_rate).
  virtual Interval range() const = 0;
};

/// Whether the config needs a CircuitAdc (ramp, sar, pipeline, cyclic, levels, table, or stochastic rounding); else
/// make_adc() does.
bool needs_circuit_adc(const AdcConfig& config);

/// The converters of an array of `cols` columns (physics.md section 3; after Spear et al., IEEE JXCDC 2023). The
/// architectures (ramp, sar, pipeline, cyclic) have 2^bits levels Vref (2k + 1 - 2^bits) / 2^bits with Vref =
/// max(|low|, |high|). Lloyd-Max levels must have been filled in.
std::shared_ptr<const CircuitAdc> make_circuit_adc(const AdcConfig& config, Interval range, int cols,
                                                   const AdcStreams& streams);

/// Whether it draws random numbers (mismatch, comparator, rounding, table sigma).
bool adc_draws(const AdcConfig& config);

}  // namespace crossgrid
