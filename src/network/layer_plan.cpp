#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "crossgrid/core/conversion_scheme.hpp"
#include "crossgrid/core/partition.hpp"
#include "crossgrid/core/programmed_matrix.hpp"
#include "crossgrid/network/execution_graph.hpp"
#include "crossgrid/network/inference.hpp"
#include "crossgrid/network/matrix_plan.hpp"
#include "crossgrid/network/matrix_step.hpp"
#include "crossgrid/network/window_tiles.hpp"

namespace crossgrid {

namespace {

/// A layer's inputs and outputs of a micro-batch should fill at most half of the nominal L2 cache of 1 MiB; the other
/// half is for weights and partial sums. Never the host's own cache: results must not depend on the host.
constexpr std::size_t activation_bytes = std::size_t{512} * 1024;
constexpr int largest_micro_batch = 64;
/// What a cell costs in double (ReferenceMatrix), in multiplications of a float32 product.
constexpr double cell_multiplications = 200;

/// What a cell costs in an MVM besides products, in multiplications of them (measured: wired_network_benchmark).
double own_multiplications(const LayerHardware& hardware, NoisePath noise, double array_cells) {
  constexpr double draw = 80;
  const double draws = noise == NoisePath::per_cell ? draw : 0;
  if (!hardware.solves_circuits()) return draws;
  const bool nonlinear = hardware.device.iv != IvModel::linear;
  if (hardware.array.wires.source == WireSource::separate) {
    const double patterns = hardware.dac.model == ConverterModel::pulse_width ? 2 : 1;  // of those that differ
    return draws + patterns * (nonlinear ? 500 : 20);
  }
  if (nonlinear) return draws + 5500;
  return draws + (hardware.array.wires.read_noise == WireNoise::exact ? 130 * std::sqrt(array_cells) : 1100);
}

/// How read noise will be drawn. Programs the layer only where the conductances decide it.
NoisePath noise_path(const Layer& layer, const LayerHardware& hardware, int smallest_rows) {
  if (!hardware.device.read_noise.active()) return NoisePath::none;
  if (hardware.solves_circuits()) return NoisePath::per_cell;
  if (hardware.device.read_noise_sampling == NoiseSampling::lumped) return NoisePath::lumped;
  if (hardware.device.read_noise_sampling == NoiseSampling::per_cell) return NoisePath::per_cell;
  if (lumped_noise_is_accurate(hardware.device.read_noise.law(), 1, smallest_rows)) return NoisePath::lumped;
  return program_matrix(matrix_weights(layer, hardware), arrayed_hardware(layer, hardware), 0, 0, 0).noise;
}

std::string execution_text(const MatrixPlan& plan, const LayerHardware& hardware, NoisePath noise, bool convolution) {
  const ConversionScheme scheme = conversion_scheme(hardware, noise);
  const std::size_t blocks = plan.blocks.size();
  std::string text;
  switch (plan.execution) {
    case MatrixExecution::direct:
      text = convolution ? "direct convolution" : "product";
      if (blocks > 1) text = fmt::format("{} {}s, one per row block", blocks, text);
      break;
    case MatrixExecution::gathered:
      text =
          fmt::format("windows gathered in tiles of {}, {} product{} each", plan.tile, blocks, blocks > 1 ? "s" : "");
      break;
    case MatrixExecution::cell_by_cell:
      text = "cell by cell";
      break;
    case MatrixExecution::by_circuit:
      text = "a circuit per MVM";
      break;
  }
  const std::string collapse = scheme_text(hardware, scheme);
  if (!collapse.empty()) text += "; " + collapse;
  if (plan.integers) text += ", exact int8 products";
  if (noise == NoisePath::lumped) text += ", one more product for the noise's variance";
  if (hardware.adc.model != ConverterModel::ideal) text += ", ADC fused";
  return text;
}

/// How near noise that is drawn once per output is to drawing every cell.
std::string lumped_text(const Layer& layer, const LayerHardware& hardware, int driven, CellsLookedAt looked) {
  const std::string bound =
      fmt::format("to within {:.2g} of its distribution function (Berry-Esseen, {} rows of equal terms)",
                  lumped_noise_bound(driven), driven);
  if (looked == CellsLookedAt::none) {
    return "exactly normal where no cell meets a limit, else " + bound;
  }
  const double clips =
      program_matrix(matrix_weights(layer, hardware), arrayed_hardware(layer, hardware), 0, 0, 0).clip_probability;
  if (lumped_noise_is_accurate(hardware.device.read_noise.law(), clips, 1)) {
    return "exact: it is normal, and no cell meets a limit";
  }
  const bool normal = hardware.device.read_noise.law() == DrawLaw::normal;
  return (normal ? fmt::format("cells meet a limit (the likeliest in {:.2g} of its reads), so ", clips)
                 : std::string("a cell's noise is not normal, so ")) +
         bound;
}

double utilisation(const MatrixLayer& layer, const LayerHardware& hardware, int arrays) {
  const MatrixLayer matrix = arrayed_layer(layer, hardware);
  const int bias = hardware.core.bias_row_count();
  const double weights = (static_cast<double>(matrix.rows) / matrix.groups + bias) * matrix.cols;
  const double rows = hardware.array.rows_max.value_or(matrix_rows(layer, hardware));
  const double cols = hardware.array.cols_max.value_or(matrix_cols(layer, hardware));
  return weights / (rows * cols * arrays);
}

LayerPlan plan_layer(const Network& network, const MatrixLayer& network_layer, const LayerHardware& hardware,
                     CellsLookedAt looked) {
  const MatrixLayer matrix = hardware.analog ? arrayed_layer(network_layer, hardware) : network_layer;
  const Layer& layer = network.layers[static_cast<std::size_t>(matrix.layer)];
  LayerPlan plan;
  plan.layer = matrix.name;
  plan.rows = matrix.rows, plan.cols = matrix.cols, plan.mvms_per_image = matrix.mvms_per_image;
  const double multiplications = static_cast<double>(matrix.rows) / matrix.groups * matrix.cols * matrix.mvms_per_image;
  plan.megaflops_per_image = 2e-6 * multiplications;
  if (!hardware.analog) {
    plan.execution = "digital, floating point";
    plan.reason = "analog is false";
    return plan;
  }
  ConvolutionShape geometry = layer_geometry(network, matrix.layer);
  if (hardware.window.windows() > 1) geometry = tiled_geometry(geometry, hardware.window);
  const LayerHardware arrayed = arrayed_hardware(layer, hardware);
  const int matrix_lines = matrix_rows(network_layer, hardware);
  const auto rows = partition(matrix_lines, hardware.array.rows_max, hardware.array.rows_partition);
  const auto cols = partition(matrix.cols, arrayed.array.cols_max, arrayed.array.cols_partition);
  plan.row_arrays = static_cast<int>(rows.size()), plan.col_arrays = static_cast<int>(cols.size());
  const bool unit_columns = hardware.core.style == CoreStyle::offset && hardware.core.unit_column;
  const int columns = matrix.cols + (unit_columns ? plan.col_arrays : 0);
  plan.cells = matrix_lines * columns * hardware.core.slices * (hardware.core.style == CoreStyle::balanced ? 2 : 1);
  plan.utilisation = utilisation(network_layer, hardware, plan.row_arrays * plan.col_arrays);
  if (hardware.precision == Precision::float64) {
    plan.execution = "cell by cell, in double";
    plan.reason = "simulation.precision is float64";
    // A cell and an input cycle take about as long as these multiplications of the float32 path.
    const double cells = static_cast<double>(plan.cells) / matrix.cols / matrix.rows;
    plan.megaflops_per_image *= cell_multiplications * cells * input_slices(hardware.dac).count;
    return plan;
  }
  const int driven = smallest_group(row_groups(rows, hardware.array.rows_active));
  const NoisePath noise = noise_path(layer, hardware, driven);
  const MatrixPlan execution = plan_matrix(geometry, hardware, noise);
  plan.execution = execution_text(execution, hardware, noise, matrix.convolution);
  if (std::holds_alternative<Recurrent>(layer.operation)) plan.execution += ", one step after the other";
  if (hardware.window.windows() > 1) {
    plan.execution =
        fmt::format("tiles of {} x {} windows gathered, {}", hardware.window.x, hardware.window.y, plan.execution);
  }
  plan.reason = execution.reason;
  if (noise == NoisePath::lumped) {
    plan.reason += "; read noise is drawn once per output: " + lumped_text(layer, hardware, driven, looked);
  }
  const ConversionCount products = scheme_count(hardware, conversion_scheme(hardware, noise));
  ConvolutionShape whole = geometry;
  whole.groups = execution.groups;
  plan.megaflops_per_image *= static_cast<double>(geometry.groups) / execution.groups;
  plan.megaflops_per_image *= execution.overhead(whole) * products.total() * (noise == NoisePath::lumped ? 2 : 1);
  const double array_cells = static_cast<double>(rows.front().count) * cols.front().count;
  plan.megaflops_per_image +=
      2e-6 * own_multiplications(hardware, noise, array_cells) * plan.cells * matrix.mvms_per_image * products.inputs;
  return plan;
}

}  // namespace

std::vector<LayerPlan> plan_layers(const Network& network, std::span<const LayerHardware> hardware,
                                   CellsLookedAt looked) {
  std::vector<LayerPlan> plans;
  const std::vector<MatrixLayer> layers = matrix_layers(network);
  for (std::size_t m = 0; m < layers.size(); ++m) plans.push_back(plan_layer(network, layers[m], hardware[m], looked));
  return plans;
}

int micro_batch_size(const Network& network, std::span<const LayerHardware>) {
  const ExecutionGraph graph = make_execution_graph(network);
  std::size_t floats = 1;
  for (const ExecutionStep& step : graph.steps) {
    std::size_t layer = graph.tensors[static_cast<std::size_t>(step.output)].shape.size();
    for (const int input : step.inputs) layer += graph.tensors[static_cast<std::size_t>(input)].shape.size();
    floats = std::max(floats, layer);
  }
  int size = largest_micro_batch;
  while (size > 1 && static_cast<std::size_t>(size) * floats * sizeof(float) > activation_bytes) size /= 2;
  return size;
}

}  // namespace crossgrid
