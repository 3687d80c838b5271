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
    add_lumped_noise(array, mvm.image, mvm.window, 0, 1, variance.data(), array.cols, currents.data(), array.cols);
  } else if (array.noise == NoisePath::per_cell) {
    mvm_with_cell_noise(array, mvm.image, mvm.window, 0, 1, inputs.data(), array.rows, currents.data(), array.cols);
  }
  return currents;
}

/// One MVM in float on programmed arrays, as an executor does it, with a plain product; inputs are sent whole, columns
/// are outputs, and each plane meets a converter of its own.
inline std::vector<float> fast_mvm(const ProgrammedMatrix& matrix, const LayerHardware& hardware,
                                   std::span<const double> x, const ReferenceMvm& mvm) {
  const InputScale scale = input_scale(hardware.dac, mvm.input_range);
  std::vector<float> inputs(x.begin(), x.end());
  convert(inputs.data(), inputs.size(), make_dac<float>(hardware.dac, scale));
  const Eigen::Map<const Eigen::RowVectorXf> driven(inputs.data(), static_cast<Eigen::Index>(inputs.size()));

  // Offset cells leave a small difference of large numbers: the digital end is in double.
  const double offset = scale.unit * matrix.offset_coefficient * driven.cast<double>().sum();
  std::vector<double> outputs(static_cast<std::size_t>(matrix.cols), -offset);
  for (std::size_t k = 0; k < matrix.arrays.size(); ++k) {
    const Crossbar& array = matrix.arrays[k];
    const CellPlane& plane = matrix.planes[k / (matrix.groups.size() * matrix.col_parts.size())];
    const Eigen::RowVectorXf currents = array_currents(array, driven.segment(array.row_first, array.rows), mvm);
    const AdcPlace place{plane.slice, array.rows, bipolar_currents(hardware, scale.is_signed), 0};
    const Interval range = hardware.adc.range == RangeRule::calibrated && !mvm.adc_ranges.empty()
                               ? range_of_slice(mvm.adc_ranges, plane.slice)
                               : adc_range(hardware.adc, place);
    const Converter<float> adc = make_adc<float>(hardware.adc, range);
    const Converter<double> exact = make_adc<double>(hardware.adc, range);
    for (int j = 0; j < array.cols; ++j) {
      const double digital =
          adc.ideal ? static_cast<double>(currents[j])
                    : fused(static_cast<double>(adc.levels.code(currents[j])), exact.levels.step, exact.levels.base);
      outputs[static_cast<std::size_t>(array.col_first + j)] += scale.unit * plane.scale * digital;
    }
  }
  return {outputs.begin(), outputs.end()};
}

inline std::vector<float> fast_mvm(const Matrix& weights, const LayerHardware& hardware, std::span<const double> x,
                                   const ReferenceMvm& mvm) {
  return fast_mvm(program_matrix(weights, hardware, mvm.seed, mvm.trial, mvm.layer), hardware, x, mvm);
}

}  // namespace crossgrid
