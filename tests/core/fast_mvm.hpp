#pragma once

#include <vector>

#include "crossgrid/circuit/converter.hpp"
#include "crossgrid/core/programmed_matrix.hpp"
#include "crossgrid/core/reference_mvm.hpp"

namespace crossgrid {

inline Eigen::RowVectorXf array_currents(const Crossbar& array, const Eigen::RowVectorXf& inputs,
                                         const ReferenceMvm& mvm) {
  Eigen::RowVectorXf currents = inputs * array.conductance;
  if (array.noise == NoisePath::lumped) {
    const Eigen::RowVectorXf variance = inputs.cwiseAbs2() * array.noise_variance;
    add_lumped_noise(array, mvm.image, mvm.window, 1, variance.data(), array.cols, currents.data(), array.cols);
  } else if (array.noise == NoisePath::per_cell) {
    mvm_with_cell_noise(array, mvm.image, mvm.window, 1, inputs.data(), array.rows, currents.data(), array.cols);
  }
  return currents;
}

/// One MVM in float on programmed arrays, as an executor does it, with a plain product.
inline std::vector<float> fast_mvm(const ProgrammedMatrix& matrix, const LayerHardware& hardware,
                                   std::span<const double> x, const ReferenceMvm& mvm) {
  const InputScale scale = input_scale(hardware.dac, mvm.input_range);
  std::vector<float> inputs(x.begin(), x.end());
  convert(inputs.data(), inputs.size(), make_dac<float>(hardware.dac, scale));
  const Eigen::Map<const Eigen::RowVectorXf> driven(inputs.data(), static_cast<Eigen::Index>(inputs.size()));

  // Offset cells leave a small difference of large numbers: codes are summed exactly, the digital end is in double.
  const double gain = scale.unit * matrix.output_scale;
  const double offset = scale.unit * matrix.offset_coefficient * driven.cast<double>().sum();
  std::vector<double> outputs(static_cast<std::size_t>(matrix.cols), -offset);
  for (const Crossbar& array : matrix.arrays) {
    const Eigen::RowVectorXf currents = array_currents(array, driven.segment(array.row_first, array.rows), mvm);
    const bool bipolar = bipolar_currents(hardware, scale.is_signed);
    const Interval range = hardware.adc.range == RangeRule::calibrated ? mvm.adc_range.value_or(Interval{})
                                                                       : adc_range(hardware.adc, array.rows, bipolar);
    const Converter<float> adc = make_adc<float>(hardware.adc, range);
    const Converter<double> exact = make_adc<double>(hardware.adc, range);
    for (int j = 0; j < array.cols; ++j) {
      const double digital =
          adc.ideal ? static_cast<double>(currents[j])
                    : fused(static_cast<double>(adc.levels.code(currents[j])), exact.levels.step, exact.levels.base);
      outputs[static_cast<std::size_t>(array.col_first + j)] += gain * digital;
    }
  }
  return {outputs.begin(), outputs.end()};
}

inline std::vector<float> fast_mvm(const Matrix& weights, const LayerHardware& hardware, std::span<const double> x,
                                   const ReferenceMvm& mvm) {
  return fast_mvm(program_matrix(weights, hardware, mvm.seed, mvm.trial, mvm.layer), hardware, x, mvm);
}

}  // namespace crossgrid
