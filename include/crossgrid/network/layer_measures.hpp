#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "crossgrid/base/matrix.hpp"
#include "crossgrid/circuit/converter.hpp"
#include "crossgrid/core/layer_hardware.hpp"
#include "crossgrid/core/programmed_cells.hpp"

/// What goes on inside one matrix layer of one chip (docs/explain.md). NaN: does not apply.
namespace crossgrid {

struct LayerMeasures {
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();

  std::string layer;
  double mvm_error = 0;         ///< mean over images of |y - r| / |r|, before the ReLU, r the floating-point network's
  double adc_clip_rate = none;  ///< share of conversions outside the ADC's range
  double adc_low = none, adc_high = none;          ///< the ADC's range, of all row blocks together [cell currents]
  double current_low = none, current_high = none;  ///< extremes of what it converts [cell currents]
  double used_range = none;          ///< width of those over the width of the range: above 1 where values clip
  double weight_error_mean = none;   ///< of the cells' weights - the network's, in units of W_max
  double weight_error_sigma = none;  ///< their standard deviation
  double input_mean = none;          ///< of what the DAC drives rows with (full scale 1), over all rows of all MVMs
  double input_mean_square = none;   ///< of its square
  double conductance_mean = none;    ///< of all cells, in units of Gmax
};

/// A number of LayerMeasures by its name in reports.
struct LayerMeasure {
  const char* name;
  double LayerMeasures::*value;
};
const std::vector<LayerMeasure>& layer_measure_names();

/// Mean and standard deviation over all weights.
struct WeightError {
  double mean = 0, sigma = 0;
};
/// Of what the programmed cells hold against `weights` (outputs x inputs), in units of W_max.
WeightError weight_error(const Matrix& weights, const ProgrammedCells& cells);

/// One image in one layer: what LayerMeasures are made from.
struct LayerTally {
  double error = 0;
  double input_sum = 0, input_square_sum = 0;
  std::uint64_t inputs = 0;
  std::uint64_t clipped = 0, conversions = 0;
  float current_low = std::numeric_limits<float>::infinity();
  float current_high = -std::numeric_limits<float>::infinity();

  void add_inputs(const float* values, std::size_t count);
  /// What an ADC converts.
  void add_currents(const float* values, std::size_t count, const Converter<float>& adc);
};

/// Puts images together, in their order: the same bits whoever counted them. Ranges and weights are left as they are.
void add_tallies(LayerMeasures& measures, const std::vector<LayerTally>& images);

}  // namespace crossgrid
