#include "crossgrid/network/layer_measures.hpp"

#include <algorithm>
#include <cmath>

namespace crossgrid {

const std::vector<LayerMeasure>& layer_measure_names() {
  static const std::vector<LayerMeasure> names{{"mvm_error", &LayerMeasures::mvm_error},
                                               {"adc_clip_rate", &LayerMeasures::adc_clip_rate},
                                               {"adc_low", &LayerMeasures::adc_low},
                                               {"adc_high", &LayerMeasures::adc_high},
                                               {"current_low", &LayerMeasures::current_low},
                                               {"current_high", &LayerMeasures::current_high},
                                               {"used_range", &LayerMeasures::used_range},
                                               {"weight_error_mean", &LayerMeasures::weight_error_mean},
                                               {"weight_error_sigma", &LayerMeasures::weight_error_sigma},
                                               {"input_mean", &LayerMeasures::input_mean},
                                               {"input_mean_square", &LayerMeasures::input_mean_square},
                                               {"conductance_mean", &LayerMeasures::conductance_mean}};
  return names;
}

WeightError weight_error(const Matrix& weights, const ProgrammedCells& cells) {
  const MatrixD errors = (held_weights(cells).transpose() - weights.cast<double>()) / cells.mapping.limit;
  const double mean = errors.mean(), squares = errors.array().square().mean();
  return {mean, std::sqrt(std::max(squares - mean * mean, 0.0))};
}

void LayerTally::add_inputs(const float* values, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const double x = values[i];
    input_sum += x;
    input_square_sum += x * x;
  }
  inputs += count;
}

void LayerTally::add_currents(const float* values, std::size_t count, const Converter<float>& adc) {
  for (std::size_t i = 0; i < count; ++i) {
    current_low = std::min(current_low, values[i]);
    current_high = std::max(current_high, values[i]);
  }
  if (adc.ideal) return;
  clipped += count_clipped(values, count, adc);
  conversions += count;
}

void add_tallies(LayerMeasures& measures, const std::vector<LayerTally>& images) {
  LayerTally all;
  for (const LayerTally& image : images) {
    all.error += image.error;
    all.input_sum += image.input_sum, all.input_square_sum += image.input_square_sum;
    all.inputs += image.inputs;
    all.clipped += image.clipped, all.conversions += image.conversions;
    all.current_low = std::min(all.current_low, image.current_low);
    all.current_high = std::max(all.current_high, image.current_high);
  }
  measures.mvm_error = images.empty() ? 0 : all.error / static_cast<double>(images.size());
  if (all.inputs > 0) {
    measures.input_mean = all.input_sum / static_cast<double>(all.inputs);
    measures.input_mean_square = all.input_square_sum / static_cast<double>(all.inputs);
  }
  if (all.current_low <= all.current_high) {
    measures.current_low = all.current_low, measures.current_high = all.current_high;
  }
  if (all.conversions > 0) {
    measures.adc_clip_rate = static_cast<double>(all.clipped) / static_cast<double>(all.conversions);
  }
  const double width = measures.adc_high - measures.adc_low;
  if (width > 0) measures.used_range = (measures.current_high - measures.current_low) / width;
}

}  // namespace crossgrid
