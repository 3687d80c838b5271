#include "crossgrid/network/matrix_step.hpp"

#include <fmt/format.h>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/json.hpp"
#include "crossgrid/core/weight_mapping.hpp"
#include "crossgrid/network/execution_graph.hpp"
#include "crossgrid/network/tensor_operations.hpp"
#include "crossgrid/network/window_tiles.hpp"

namespace crossgrid {

const AdcStage& MatrixStep::adc(int block, int converter) const {
  const std::size_t per_block = adcs.size() / matrix->blocks.size();
  return adcs[static_cast<std::size_t>(block) * per_block + static_cast<std::size_t>(converter)];
}

double MatrixStep::scale() const {
  return analog ? input.unit * matrix->programmed.planes.front().scale : 1;
}

bool MatrixStep::plain() const {
  if (!analog) return true;
  if (tiles || !scales.empty()) return false;
  const ProgrammedMatrix& cells = matrix->programmed;
  return matrix->plan.execution == MatrixExecution::direct && cells.planes.size() == 1 && !inputs_apart &&
         cells.offset_coefficient == 0 && cells.columns == cells.cols && !current_max && adcs.front().banks.empty();
}

MatrixStep driven_step(const ConvolutionShape& geometry, const LayerHardware& hardware, Interval dac_range) {
  MatrixStep step;
  step.analog = true;
  step.dac_config = hardware.dac;
  step.input = input_scale(hardware.dac, dac_range);
  step.dac = make_dac<float>(hardware.dac, step.input);
  step.per_window = drives_windows(hardware);
  if (hardware.window.windows() > 1 && hardware.grouped == GroupedMatrix::per_group) {
    throw Error(ExitCode::bad_input, "window.x and window.y do not go with grouped \"per_group\"");
  }
  if (step.per_window && geometry.groups > 1 && hardware.grouped == GroupedMatrix::per_group) {
    throw Error(
        ExitCode::bad_input,
        "grouped \"per_group\" does not go with dac.range \"per_vector\" or adc.bound_management, which scale all "
        "inputs of a window together");
  }
  step.bound_management = hardware.adc.bound_management;
  step.slices = input_slices(hardware.dac);
  if (hardware.array.column_current_max) step.current_max = static_cast<float>(*hardware.array.column_current_max);
  const bool gates = hardware.array.wires.any() && hardware.array.wires.source == WireSource::separate;
  if (hardware.dac.model == ConverterModel::quantizer && (gates || step.slices.count > 1) &&
      (step.input.is_signed || step.input.range.low != 0)) {
    throw Error(
        ExitCode::bad_input,
        fmt::format("{} needs digits: inputs of dac.model \"quantizer\" must have a range from 0 up, found [{}, {}]; "
                    "say dac.model \"sign_magnitude\" for signed inputs",
                    gates ? "array.wires.source \"separate\"" : "dac.slice_bits", shortest_number(step.input.range.low),
                    shortest_number(step.input.range.high)));
  }
  step.frame_value = step.per_window ? 0 : step.dac(0.0f);
  if (hardware.window.windows() > 1) {
    step.tiles = {geometry, hardware.window};
  } else if (step.frame_value != 0) {
    step.frame = geometry.window;
  }
  return step;
}

AdcPlace adc_place(const MatrixStep& step, const LayerHardware& hardware, double conductance_step) {
  AdcPlace place;
  place.bipolar = bipolar_currents(hardware, step.input.is_signed);
  place.current_step = conductance_step / (step.slices.count > 1 ? step.slices.largest_digit() : 1);
  return place;
}

Interval adc_range_at(const LayerHardware& hardware, const LayerRanges& ranges, const AdcPlace& place) {
  if (hardware.adc.range == RangeRule::calibrated) return range_of_slice(ranges.adc, place.slice);
  return adc_range(hardware.adc, place);
}

namespace {

AdcStage circuit_stage(const MatrixStep& step, const AdcConfig& adc, Interval range, const LayerStreams& streams,
                       int plane, int row_array) {
  AdcStage stage;
  stage.converter.ideal = false;
  stage.converter.levels.low = static_cast<float>(range.low);
  stage.converter.levels.high = static_cast<float>(range.high);
  const ProgrammedMatrix& cells = step.matrix->programmed;
  for (int part = 0; part < static_cast<int>(cells.col_parts.size()); ++part) {
    stage.banks.push_back(
        make_circuit_adc(adc, range, cells.array(0, 0, part).cols, adc_streams(streams, plane, row_array, part)));
  }
  return stage;
}

/// What converters make of no current, all together, in layer units [MatrixPlan::idle].
double idle_output(const MatrixStep& step) {
  const PreparedMatrix& matrix = *step.matrix;
  double weights = 0;
  for (int cycle = 0; cycle < (step.inputs_apart && !step.inputs_summed ? step.slices.count : 1); ++cycle) {
    weights += step.inputs_apart ? step.slices.weight(cycle) : 1;
  }
  double sum = 0;
  for (std::size_t plane = 0; plane < matrix.programmed.planes.size(); ++plane) {
    sum += matrix.programmed.planes[plane].scale * step.adc(0, static_cast<int>(plane)).exact(0.0);
  }
  return step.input.unit * matrix.plan.idle * weights * sum;
}

/// The block-diagonal matrix whose other weights are 0. weights: outputs of all groups x inputs of a group.
Matrix block_diagonal(const Matrix& weights, int groups) {
  const Eigen::Index outputs = weights.rows() / groups, inputs = weights.cols();
  Matrix whole = Matrix::Zero(weights.rows(), inputs * groups);
  for (int group = 0; group < groups; ++group) {
    whole.block(group * outputs, group * inputs, outputs, inputs) = weights.middleRows(group * outputs, outputs);
  }
  return whole;
}

template <class Value>
std::vector<Value> repeated(const std::vector<Value>& values, int times) {
  std::vector<Value> all;
  for (int k = 0; k < times; ++k) all.insert(all.end(), values.begin(), values.end());
  return all;
}

}  // namespace

void put_arrays(MatrixStep& step, const LayerHardware& hardware, const LayerRanges& ranges,
                std::shared_ptr<const PreparedMatrix> prepared, const LayerStreams& streams) {
  step.matrix = std::move(prepared);
  step.scales = repeated(hardware.core.column_scales, hardware.window.windows());
  const ConversionScheme scheme = conversion_scheme(hardware, step.matrix->noise);
  step.inputs_apart = scheme.inputs;
  const bool ideal = hardware.adc.model == ConverterModel::ideal;
  step.inputs_summed = scheme.inputs && !ideal && !hardware.adc.per_input_slice;
  const int sides = scheme.sides && !scheme.net_converter ? 2 : 1;
  const int converters = scheme_count(hardware, scheme).slices * sides;
  AdcPlace place = adc_place(step, hardware, step.matrix->programmed.conductance_step);
  for (int block = 0; block < static_cast<int>(step.matrix->plan.blocks.size()); ++block) {
    place.rows = step.matrix->plan.blocks[static_cast<std::size_t>(block)].rows;
    for (int converter = 0; converter < converters; ++converter) {
      if (ideal) {
        step.adcs.emplace_back();
        continue;
      }
      const int slice = converter / sides;
      place.slice = slice;
      const Interval range = adc_range_at(hardware, ranges, place);
      AdcConfig adc = hardware.adc;
      if (adc.levels.lloyd_max) adc.levels.levels = ranges.levels.at(static_cast<std::size_t>(slice));
      if (needs_circuit_adc(adc)) {
        const int row_array = step.matrix->programmed.groups[static_cast<std::size_t>(block)].array;
        step.adcs.push_back(circuit_stage(step, adc, range, streams, 2 * slice + converter % sides, row_array));
      } else {
        step.adcs.push_back({make_adc<float>(adc, range), make_adc<double>(adc, range), {}});
      }
    }
  }
  if (step.matrix->plan.idle == 0 || ideal) return;
  if (const auto idle = static_cast<float>(idle_output(step)); idle != 0) {
    step.bias.resize(static_cast<std::size_t>(step.matrix->cols()), 0.0f);
    for (std::size_t j = 0; j < step.bias.size(); ++j) {
      step.bias[j] += step.scales.empty() ? idle : idle * static_cast<float>(step.scales[j]);
    }
    step.bias_tile = make_bias_tile(step.bias, step.matrix->cols());
  }
}

Matrix matrix_weights(const Layer& layer, const LayerHardware& hardware) {
  const auto* const conv = std::get_if<Conv2d>(&layer.operation);
  const int groups = conv != nullptr && hardware.grouped == GroupedMatrix::shared ? conv->groups : 1;
  const int copies = hardware.window.windows();
  const int rows_of_bias = hardware.core.bias_row_count();
  Matrix weights = layer_weights(layer);
  std::vector<float> bias = layer_bias(layer);
  for (std::size_t j = 0; j < hardware.core.column_scales.size(); ++j) {
    const auto scale = static_cast<float>(hardware.core.column_scales[j]);
    weights.row(static_cast<Eigen::Index>(j)) /= scale;
    if (!bias.empty()) bias[j] /= scale;
  }
  if (groups * copies > 1) {
    weights = block_diagonal(weights.replicate(copies, 1), groups * copies);
    bias = repeated(bias, copies);
  }
  return with_bias_rows(weights, bias, rows_of_bias);
}

LayerHardware arrayed_hardware(const Layer& layer, const LayerHardware& hardware) {
  LayerHardware arrayed = hardware;
  const bool quantile = hardware.core.clip.rule == WeightClip::Rule::quantile;
  if (hardware.window.windows() > 1 && quantile) {
    LayerHardware single = hardware;
    single.window = {};
    arrayed.core.clip = {WeightClip::Rule::limit, weight_limit(matrix_weights(layer, single), hardware.core.clip)};
  }
  const auto* const conv = std::get_if<Conv2d>(&layer.operation);
  if (conv == nullptr || conv->groups == 1 || hardware.grouped == GroupedMatrix::shared) return arrayed;
  const int columns = static_cast<int>(conv->weights.rows()) / conv->groups;
  int limit = std::min(columns, hardware.array.cols_max.value_or(columns));
  while (columns % limit != 0) --limit;
  arrayed.array.cols_max = limit;
  arrayed.array.cols_partition = {PartitionRule::Kind::fill, {}};
  return arrayed;
}

const float* squared_inputs(const MatrixStep& step, const float* values, std::size_t count, Lane& lane) {
  float* const squares = lane.scratch(Lane::squares, count);
  if (!step.inputs_apart && step.slices.count > 1) {
    square_slices(values, squares, count, step.slices);
  } else {
    square(values, squares, count);
  }
  return squares;
}

const float* drive(const MatrixStep& step, const float* inputs, const Shape& in, bool encoded, Lane& lane) {
  const int images = step.matrix->geometry.images;
  const std::size_t count = static_cast<std::size_t>(images) * in.size();
  if (!encoded && !step.per_window) {
    float* const converted = lane.scratch(Lane::driven, count);
    convert(inputs, converted, count, step.dac);
    inputs = converted;
  }
  if (!step.framed() && !step.tiles) return inputs;
  float* const placed = lane.scratch(Lane::padded, static_cast<std::size_t>(images) * step.matrix->inputs_per_image());
  if (step.tiles) {
    gather_tiles(inputs, placed, step.tiles->layer, step.tiles->tile, step.frame_value);
  } else {
    frame_images(inputs, placed, images, in, step.frame, step.frame_value);
  }
  return placed;
}

ConvolutionShape driven_geometry(const MatrixStep& step, const ConvolutionShape& layer) {
  if (step.tiles) return tiled_geometry(layer, step.tiles->tile);
  ConvolutionShape driven = layer;
  if (!step.framed()) return driven;
  WindowAxis &y = driven.window.vertical, &x = driven.window.horizontal;
  driven.height += y.before + y.after;
  driven.width += x.before + x.after;
  y.before = y.after = x.before = x.after = 0;
  return driven;
}

std::vector<float> step_bias(const MatrixStep& step, const std::vector<float>& bias) {
  return step.tiles ? repeated(bias, step.tiles->tile.windows()) : bias;
}

}  // namespace crossgrid
