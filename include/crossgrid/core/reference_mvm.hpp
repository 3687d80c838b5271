#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "crossgrid/base/matrix.hpp"
#include "crossgrid/core/cell_plane.hpp"
#include "crossgrid/core/layer_hardware.hpp"

namespace crossgrid {

/// One MVM to be done the plain way.
struct ReferenceMvm {
  Interval input_range;              ///< of the DAC, in the layer's units
  std::vector<Interval> adc_ranges;  ///< where adc.range is calibrated: one, or one per weight slice
  std::uint64_t seed = 0;
  std::uint32_t trial = 0;
  std::uint32_t layer = 0;
  std::uint32_t image = 0;
  std::uint32_t window = 0;
  std::vector<std::vector<double>> adc_levels = {};  ///< by weight slice, where adc.levels is "lloyd_max"
};

/// A value that met an ADC.
struct ReferenceConversion {
  int group = 0, slice = 0;
  int side = 0;         ///< 1: - cells with a converter of their own
  int input_slice = 0;  ///< 0 where the slices' analog sum is converted
  int column = 0;       ///< analog column: outputs in order, each array's unit column before its first one
  double value = 0;     ///< cell currents
  Interval range;       ///< of the ADC
};

struct ReferenceResult {
  std::vector<double> outputs;  ///< layer units
  std::vector<ReferenceConversion> conversions;
  int halvings = 0;  ///< by bound management
};

/// One layer's chip, programmed once, for many MVMs; seed, trial and layer of the MVMs don't matter. See
/// reference_chain().
class ReferenceMatrix {
 public:
  ReferenceMatrix(Matrix weights, LayerHardware hardware, const LayerStreams& streams);
  ReferenceMatrix(ReferenceMatrix&&) noexcept;
  ~ReferenceMatrix();
  /// Threads may share it.
  ReferenceResult multiply(std::span<const double> x, const ReferenceMvm& mvm) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The slow truth that tests hold the fast paths to: cell by cell, slice by slice, in double, with its own formulas
/// (physics.md sections 1 to 4) and the same random draws. weights: outputs x inputs, with the rows of a bias; x in the
/// layer's units. Lumped read noise is drawn once per conversion.
ReferenceResult reference_chain(const Matrix& weights, const LayerHardware& hardware, std::span<const double> x,
                                const ReferenceMvm& mvm);

/// Its outputs.
std::vector<double> reference_mvm(const Matrix& weights, const LayerHardware& hardware, std::span<const double> x,
                                  const ReferenceMvm& mvm);

}  // namespace crossgrid
