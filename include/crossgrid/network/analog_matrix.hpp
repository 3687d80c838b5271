#pragma once

#include <cstdint>
#include <memory>

#include "crossgrid/base/matrix.hpp"
#include "crossgrid/network/calibration.hpp"
#include "crossgrid/network/matrix_step.hpp"

namespace crossgrid {

/// One weight matrix on crossbars by itself: products with it and with its transpose, through the code that networks
/// run. For training, complex matrices, tests and tools.
class AnalogMatrix {
 public:
  /// weights: outputs x inputs, one chip (seed, trial, layer). ranges: where converters' ranges are calibrated.
  AnalogMatrix(const Matrix& weights, const LayerHardware& hardware, const LayerRanges& ranges,
               const LayerStreams& streams);
  ~AnalogMatrix();

  int inputs() const;
  int outputs() const;

  /// inputs: vectors x inputs() in layer units; returns vectors x outputs(). Vector k has the read noise of image
  /// first + k. `observe` sees every conversion's currents.
  Matrix multiply(const Matrix& inputs, std::uint64_t first = 0, const ConversionObserver& observe = {});

  /// Products with the transpose: inputs vectors x outputs(), returns vectors x inputs(); the columns are driven, the
  /// rows are read, with converters of their own. Error(bad_input) for unit columns.
  Matrix multiply_transposed(const Matrix& inputs, const DacConfig& dac, const AdcConfig& adc,
                             const LayerRanges& ranges, std::uint64_t first = 0);

  /// Programs a block of weights (outputs x inputs) over the cells from (output_first, input_first) on.
  void program(int output_first, int input_first, const Matrix& block);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace crossgrid
