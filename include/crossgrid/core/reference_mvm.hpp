#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "crossgrid/base/matrix.hpp"
#include "crossgrid/core/layer_hardware.hpp"

namespace crossgrid {

/// One MVM to be done the plain way.
struct ReferenceMvm {
  Interval input_range;               ///< of the DAC, in the layer's units
  std::optional<Interval> adc_range;  ///< where adc.range is calibrated
  std::uint64_t seed = 0;
  std::uint32_t trial = 0;
  std::uint32_t layer = 0;
  std::uint32_t image = 0;
  std::uint32_t window = 0;
};

/// The slow truth that tests hold the fast paths to: cell by cell in double, with its own formulas (physics.md sections
/// 1 to 4) and the same random draws. weights: outputs x inputs; x in the layer's units. Returns one value per output.
std::vector<double> reference_mvm(const Matrix& weights, const LayerHardware& hardware, std::span<const double> x,
                                  const ReferenceMvm& mvm);

/// Values before the ADC, rows blocks x outputs, of the same MVM: where a fast path's code may differ by rounding.
MatrixD reference_currents(const Matrix& weights, const LayerHardware& hardware, std::span<const double> x,
                           const ReferenceMvm& mvm);

}  // namespace crossgrid
