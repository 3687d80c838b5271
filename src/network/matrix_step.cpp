#include "crossgrid/network/matrix_step.hpp"

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/json.hpp"
#include "crossgrid/core/weight_mapping.hpp"
#include "crossgrid/network/execution_graph.hpp"
#include "crossgrid/network/tensor_operations.hpp"

namespace crossgrid {

const AdcStage& MatrixStep::adc(int block, int slice) const {
  const std::size_t per_block = adcs.size() / matrix->blocks.size();
  return adcs[static_cast<std::size_t>(block) * per_block + static_cast<std::size_t>(slice)];
}

double MatrixStep::scale() const {
  return analog ? input.unit * matrix->programmed.planes.front().scale : 1;
}

bool MatrixStep::plain() const {
  if (!analog) return true;
  const ProgrammedMatrix& cells = matrix->programmed;
  return matrix->plan.execution == MatrixExecution::direct && cells.planes.size() == 1 && !inputs_apart &&
         cells.offset_coefficient == 0 && cells.columns == cells.cols && !current_max;
}

MatrixStep driven_step(const ConvolutionShape& geometry, const LayerHardware& hardware, Interval dac_range) {
  MatrixStep step;
  step.analog = true;
  step.dac_config = hardware.dac;
  step.input = input_scale(hardware.dac, dac_range);
  step.dac = make_dac<float>(hardware.dac, step.input);
  step.per_window = drives_windows(hardware);
  step.bound_management = hardware.adc.bound_management;
  step.slices = input_slices(hardware.dac);
  if (hardware.array.column_current_max) step.current_max = static_cast<float>(*hardware.array.column_current_max);
  if (hardware.dac.model == ConverterModel::quantizer && step.slices.count > 1 &&
      (step.input.is_signed || step.input.range.low != 0)) {
    throw Error(ExitCode::bad_input,
                "dac.slice_bits needs digits: inputs of dac.model \"quantizer\" must have a range from 0 up, found [" +
                    shortest_number(step.input.range.low) + ", " + shortest_number(step.input.range.high) +
                    "]; say dac.model \"sign_magnitude\" for signed inputs");
  }
  if (!step.per_window) step.frame = geometry.padding - driven_geometry(geometry, step.dac).padding;
  step.frame_value = step.dac(0.0f);
  return step;
}

void put_arrays(MatrixStep& step, const LayerHardware& hardware, const std::vector<Interval>& adc_ranges,
                std::shared_ptr<const PreparedMatrix> prepared) {
  step.matrix = std::move(prepared);
  const ConversionScheme scheme = conversion_scheme(hardware, step.matrix->noise);
  step.inputs_apart = scheme.inputs;
  AdcPlace place;
  place.bipolar = bipolar_currents(hardware, step.input.is_signed);
  place.current_step = step.matrix->programmed.conductance_step;
  if (step.slices.count > 1) place.current_step /= step.slices.largest_digit();
  const int slices = scheme.slices ? hardware.core.slices : 1;
  const bool ideal = hardware.adc.model == ConverterModel::ideal;
  step.inputs_summed = scheme.inputs && !ideal && !hardware.adc.per_input_slice;
  for (const PlanBlock& block : step.matrix->plan.blocks) {
    place.rows = block.rows;
    for (place.slice = 0; place.slice < slices; ++place.slice) {
      const bool calibrated = !ideal && hardware.adc.range == RangeRule::calibrated;
      const Interval range = ideal        ? Interval{}
                             : calibrated ? range_of_slice(adc_ranges, place.slice)
                                          : adc_range(hardware.adc, place);
      step.adcs.push_back({make_adc<float>(hardware.adc, range), make_adc<double>(hardware.adc, range)});
    }
  }
}

Matrix matrix_weights(const Layer& layer, const LayerHardware& hardware) {
  return with_bias_rows(layer_weights(layer), layer_bias(layer), hardware.core.bias_row_count());
}

const float* drive(const MatrixStep& step, const float* inputs, const Shape& in, bool encoded, Lane& lane) {
  const int images = step.matrix->geometry.images;
  const std::size_t count = static_cast<std::size_t>(images) * in.size();
  if (!encoded) {
    float* const converted = lane.scratch(Lane::driven, count);
    convert(inputs, converted, count, step.dac);
    inputs = converted;
  }
  if (step.frame == 0) return inputs;
  float* const framed = lane.scratch(Lane::padded, static_cast<std::size_t>(images) * step.matrix->inputs_per_image());
  frame_images(inputs, framed, images, in, step.frame, step.frame_value);
  return framed;
}

ConvolutionShape driven_geometry(const ConvolutionShape& geometry, const Converter<float>& dac) {
  if (dac(0.0f) == 0) return geometry;
  ConvolutionShape framed = geometry;
  framed.height += 2 * geometry.padding;
  framed.width += 2 * geometry.padding;
  framed.padding = 0;
  return framed;
}

}  // namespace crossgrid
