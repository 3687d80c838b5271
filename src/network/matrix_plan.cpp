#include "crossgrid/network/matrix_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "crossgrid/circuit/circuit_adc.hpp"
#include "crossgrid/core/conversion_scheme.hpp"
#include "crossgrid/core/partition.hpp"
#include "crossgrid/network/window_tiles.hpp"

namespace crossgrid {

namespace {

/// A gathered tile's floats: a quarter of the nominal L2 cache.
constexpr int tile_floats = 64 * 1024;
/// Beyond this many computed rows per needed one, gathering windows is cheaper than whole channels.
constexpr double largest_overhead = 2.5;

std::vector<PlanBlock> make_blocks(const ConvolutionShape& geometry, const std::vector<RowGroup>& groups) {
  std::vector<PlanBlock> blocks;
  const int kernel = geometry.window.size();
  for (const RowGroup& group : groups) {
    const Part& part = group.rows;
    const int first = part.first / kernel, end = (part.first + part.count + kernel - 1) / kernel;
    blocks.push_back({part.first, part.count, first, end - first});
  }
  return blocks;
}

/// The largest divisor of `windows` whose tile stays in the cache: products have one fixed shape.
int tile_windows(int windows, int rows) {
  const int most = std::max(1, tile_floats / rows);
  for (int tile = std::min(windows, most); tile > 1; --tile) {
    if (windows % tile == 0) return tile;
  }
  return 1;
}

std::vector<RowGroup> conversions_of(int rows, const ArrayConfig& array) {
  return row_groups(partition(rows, array.rows_max, array.rows_partition), array.rows_active);
}

MatrixPlan blocks_of(const ConvolutionShape& geometry, const LayerHardware& hardware, NoisePath noise) {
  MatrixPlan plan;
  plan.groups = geometry.groups;
  const int matrix_rows = geometry.rows() + hardware.core.bias_row_count();
  std::vector<RowGroup> parts = conversions_of(matrix_rows, hardware.array);
  plan.merged = parts.size() > 1 && !conversion_scheme(hardware, noise).rows;
  if (plan.merged) parts = {{{0, matrix_rows}, 0}};
  plan.blocks = make_blocks(geometry, parts);
  if (geometry.groups > 1) {
    for (PlanBlock& block : plan.blocks) block.channel_first = 0, block.channels = geometry.in_channels;
  }
  const int rows = std::ranges::max(plan.blocks, {}, &PlanBlock::rows).rows;
  plan.tile = tile_windows(geometry.windows(), rows);
  return plan;
}

/// Takes products of bytes where the plan allows it and they are exact.
void plan_integers(MatrixPlan& plan, const LayerHardware& hardware) {
  const std::optional<IntegerCells> cells = integer_cells(hardware);
  if (!cells || plan.groups > 1) return;
  const int rows = std::ranges::max(plan.blocks, {}, &PlanBlock::rows).rows;
  if (IntegerProduct::exact(cells->largest_input, cells->largest_weight, rows)) plan.integers = cells;
}

/// The matrix of a grouped convolution whose groups share arrays: blocks and zeros.
ConvolutionShape whole_matrix(ConvolutionShape geometry) {
  geometry.groups = 1;
  return geometry;
}

/// Whether a cell of the weight w conducts what w asks for, and its current is proportional to the input.
bool ideal_cells(const DeviceConfig& device) {
  const DeviceConfig ideal;
  return device.iv == IvModel::linear && device.programming_error == ideal.programming_error &&
         device.drift == ideal.drift && device.faults == ideal.faults && device.measured == ideal.measured;
}

/// Whether cells that hold the weight 0 carry exactly no current into any converter, and converters differ in nothing
/// but what they see.
bool zeros_carry_nothing(const LayerHardware& hardware, NoisePath noise, const std::vector<RowGroup>& parts) {
  const bool same_rows =
      std::ranges::all_of(parts, [&](const RowGroup& part) { return part.rows.count == parts.front().rows.count; });
  const AlikeConverters converters = alike_converters(hardware.adc);
  return hardware.core.style == CoreStyle::balanced && !conversion_scheme(hardware, noise).sides &&
         noise == NoisePath::none && ideal_cells(hardware.device) && !hardware.array.wires.any() &&
         (converters.of_any_rows || (converters.of_as_many_rows && same_rows));
}

/// One product of every group by itself, where that is all that a shared matrix does.
std::optional<MatrixPlan> plan_blocks_apart(const ConvolutionShape& geometry, const LayerHardware& hardware,
                                            NoisePath noise) {
  if (drives_windows(hardware) || hardware.core.bias_row_count() > 0) return std::nullopt;
  const ConvolutionShape whole = whole_matrix(geometry);
  const std::vector<RowGroup> parts = conversions_of(whole.rows(), hardware.array);
  if (!zeros_carry_nothing(hardware, noise, parts)) return std::nullopt;
  const bool converted = conversion_scheme(hardware, noise).rows;
  MatrixPlan plan;
  plan.groups = geometry.groups;
  if (converted) {
    int most = 1;  // row arrays that one group lies in
    for (int group = 0; group < geometry.groups; ++group) {
      most = std::max(most, static_cast<int>(parts_of_group(parts, group, geometry.rows()).size()));
    }
    plan.blocks.assign(static_cast<std::size_t>(most), {0, parts.front().rows.count, 0, geometry.in_channels});
    plan.idle = static_cast<int>(parts.size()) - most;
  } else {
    plan.blocks = {{0, whole.rows(), 0, geometry.in_channels}};
  }
  plan.merged = parts.size() > plan.blocks.size();
  plan.reason = fmt::format("cells off the {} blocks cancel: each is multiplied by itself", geometry.groups);
  return plan;
}

}  // namespace

double MatrixPlan::overhead(const ConvolutionShape& geometry) const {
  if (execution != MatrixExecution::direct || groups > 1) return 1;
  double computed = 0;
  for (const PlanBlock& block : blocks) computed += static_cast<double>(block.channels) * geometry.window.size();
  return computed / geometry.rows();
}

std::vector<Part> parts_of_group(const std::vector<RowGroup>& arrays, int group, int rows) {
  std::vector<Part> parts;
  const int first = group * rows;
  for (const RowGroup& array : arrays) {
    const int begin = std::max(first, array.rows.first);
    const int end = std::min(first + rows, array.rows.first + array.rows.count);
    if (begin < end) parts.push_back({begin - first, end - begin});
  }
  return parts;
}

int matrix_rows(const MatrixLayer& layer, const LayerHardware& hardware) {
  const int groups = hardware.grouped == GroupedMatrix::per_group ? layer.groups : 1;
  return arrayed_layer(layer, hardware).rows / groups + hardware.core.bias_row_count();
}

int matrix_cols(const MatrixLayer& layer, const LayerHardware& hardware) {
  const int groups = hardware.grouped == GroupedMatrix::per_group ? layer.groups : 1;
  return arrayed_layer(layer, hardware).cols / groups;
}

bool drives_windows(const LayerHardware& hardware) {
  return hardware.dac.range == RangeRule::per_vector || hardware.adc.bound_management > 0;
}

AlikeConverters alike_converters(const AdcConfig& adc) {
  const bool given = adc.range == RangeRule::calibrated || adc.range == RangeRule::fixed;
  const bool circuit = needs_circuit_adc(adc);
  return {given && !circuit, !circuit};
}

MatrixPlan plan_matrix(const ConvolutionShape& geometry, const LayerHardware& hardware, NoisePath noise) {
  if (geometry.groups > 1 && hardware.grouped == GroupedMatrix::shared) {
    if (const auto apart = plan_blocks_apart(geometry, hardware, noise)) return *apart;
    MatrixPlan whole = plan_matrix(whole_matrix(geometry), hardware, noise);
    whole.reason +=
        fmt::format("; cells off the {} blocks carry errors: the whole matrix is computed", geometry.groups);
    return whole;
  }
  MatrixPlan plan = blocks_of(geometry, hardware, noise);
  if (hardware.solves_circuits()) {
    plan.execution = MatrixExecution::by_circuit;
    plan.reason = hardware.array.wires.source == WireSource::separate ? "inputs gate cells between wires"
                  : hardware.device.iv != IvModel::linear             ? "nonlinear cells between wires: Newton's method"
                                                          : "read noise of cells between wires draws every cell";
    return plan;
  }
  if (noise == NoisePath::per_cell) {
    plan.execution = MatrixExecution::cell_by_cell;
    plan.reason = "read noise draws every cell at every MVM";
    return plan;
  }
  if (drives_windows(hardware) || hardware.core.bias_row_count() > 0) {
    plan.execution = MatrixExecution::gathered;
    plan.reason =
        hardware.core.bias_row_count() > 0 ? "arrays hold rows of a bias" : "every input vector is scaled by itself";
    return plan;
  }
  if (plan.groups > 1 && plan.blocks.size() > 1) {
    plan.execution = MatrixExecution::gathered;
    plan.reason = "the rows of each group are split";
    return plan;
  }
  const double overhead = plan.overhead(geometry);
  if (plan.groups > 1) {
    plan.reason = fmt::format("each of {} groups has arrays of its own", plan.groups);
  } else if (plan.merged) {
    plan.reason = "nothing lies between the row blocks' currents and their sum";
  } else if (plan.blocks.size() == 1) {
    plan.reason = "all rows meet one converter";
  } else if (overhead == 1) {
    plan.reason = "row blocks hold whole input channels";
  } else if (overhead <= largest_overhead) {
    plan.reason = "row blocks cut channels, the cut ones are computed in each block with zero conductances outside it";
  } else {
    plan.execution = MatrixExecution::gathered;
    plan.reason = "row blocks are small against a channel's kernel";
    return plan;
  }
  plan_integers(plan, hardware);
  return plan;
}

MatrixPlan plan_matrix_as(MatrixExecution execution, const ConvolutionShape& geometry, const LayerHardware& hardware,
                          NoisePath noise) {
  const bool whole = hardware.grouped == GroupedMatrix::shared;
  MatrixPlan plan = blocks_of(whole ? whole_matrix(geometry) : geometry, hardware, noise);
  plan.execution = execution;
  plan.reason = "forced";
  return plan;
}

}  // namespace crossgrid
