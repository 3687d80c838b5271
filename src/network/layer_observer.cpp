#include "crossgrid/network/layer_observer.hpp"

#include <cmath>

#include "crossgrid/network/image_metrics.hpp"
#include "crossgrid/network/tensor_operations.hpp"

namespace crossgrid {

namespace {

/// What the rows of an analog layer are driven with, one image after the other: windows x rows values. Nothing where
/// every window is driven in a scale of its own.
template <class Body>
void over_driven_windows(const NetworkExecution& execution, int matrix, const float* inputs, const MicroBatch& batch,
                         Lane& lane, const Body& body) {
  const MatrixStep& step = execution.matrices()[static_cast<std::size_t>(matrix)];
  if (step.per_window) return;
  const ConvolutionShape& driven = step.matrix->geometry;
  const ConvolutionShape& layer = step.outputs();
  const WindowAxis &y = step.frame.vertical, &x = step.frame.horizontal;
  const Shape in{layer.in_channels, layer.height - y.before - y.after, layer.width - x.before - x.after};
  const float* const values = drive(step, inputs, in, execution.inputs_encoded(matrix), lane);
  std::vector<float> windows(static_cast<std::size_t>(step.matrix->windows()) *
                             static_cast<std::size_t>(driven.rows()) * static_cast<std::size_t>(driven.groups));
  for (int k = batch.begin; k < batch.end; ++k) {
    gather_windows(values + static_cast<std::size_t>(k) * step.matrix->inputs_per_image(), windows.data(), driven,
                   driven.rows());
    body(k, windows.data(), windows.size());
  }
}

}  // namespace

NetworkExecution::Observer tally_observer(const NetworkExecution& execution,
                                          const std::vector<std::vector<float>>& reference, const MicroBatch& batch,
                                          Lane& lane, std::function<LayerTally&(std::size_t matrix, int image)> tally) {
  NetworkExecution::Observer observer;
  observer.inputs = [&execution, &batch, &lane, tally](int matrix, const float* inputs) {
    const auto m = static_cast<std::size_t>(matrix);
    if (!execution.matrices()[m].analog) return;
    over_driven_windows(execution, matrix, inputs, batch, lane,
                        [&](int k, const float* values, std::size_t count) { tally(m, k).add_inputs(values, count); });
  };
  observer.currents = [&execution, &batch, tally](int matrix, const ConversionView& view) {
    const auto m = static_cast<std::size_t>(matrix);
    const MatrixStep& step = execution.matrices()[m];
    if (!step.analog) return;
    const std::size_t count = step.matrix->currents_per_image();
    for_each_image(view, batch, count, [&](int k, const float* currents) {
      tally(m, k).add_currents(currents, count, step.adc(view.block, view.converter).converter);
    });
  };
  observer.outputs = [&execution, &reference, &batch, tally](int matrix, const float* outputs) {
    const auto m = static_cast<std::size_t>(matrix);
    const std::size_t count = execution.outputs_of_image(matrix);
    for (int k = batch.begin; k < batch.end; ++k) {
      const std::size_t place = static_cast<std::size_t>(k) * count;
      tally(m, k).error = relative_error(outputs + place, reference[m].data() + place, count);
    }
  };
  return observer;
}

LayerMeasures chip_measures(const MatrixLayer& layer, const Matrix& weights, const LayerHardware& hardware,
                            const std::vector<AdcStage>& adcs, std::uint64_t seed, std::uint32_t trial) {
  LayerMeasures measures;
  measures.layer = layer.name;
  if (!hardware.analog) return measures;
  for (const AdcStage& adc : adcs) {
    if (adc.converter.ideal) continue;
    measures.adc_low = std::fmin(measures.adc_low, adc.converter.levels.low);
    measures.adc_high = std::fmax(measures.adc_high, adc.converter.levels.high);
  }
  const ProgrammedCells cells =
      program_cells(weights, hardware, {seed, trial, static_cast<std::uint32_t>(layer.layer)});
  const WeightError error = weight_error(weights, cells);
  measures.weight_error_mean = error.mean, measures.weight_error_sigma = error.sigma;
  measures.conductance_mean = mean_conductance(cells);
  return measures;
}

}  // namespace crossgrid
