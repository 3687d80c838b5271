#include "crossgrid/network/matrix_plan.hpp"

#include <algorithm>

#include "crossgrid/core/conversion_scheme.hpp"
#include "crossgrid/core/partition.hpp"

namespace crossgrid {

namespace {

/// A gathered tile's floats: a quarter of the nominal L2 cache.
constexpr int tile_floats = 64 * 1024;
/// Beyond this many computed rows per needed one, gathering windows is cheaper than whole channels.
constexpr double largest_overhead = 2.5;

int kernel_size(const ConvolutionShape& geometry) {
  return geometry.kernel_height * geometry.kernel_width;
}

std::vector<PlanBlock> make_blocks(const ConvolutionShape& geometry, const std::vector<RowGroup>& groups) {
  std::vector<PlanBlock> blocks;
  const int kernel = kernel_size(geometry);
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

MatrixPlan blocks_of(const ConvolutionShape& geometry, const LayerHardware& hardware, NoisePath noise) {
  MatrixPlan plan;
  const ArrayConfig& array = hardware.array;
  const int matrix_rows = geometry.rows() + hardware.core.bias_row_count();
  std::vector<RowGroup> parts =
      row_groups(partition(matrix_rows, array.rows_max, array.rows_partition), array.rows_active);
  plan.merged = parts.size() > 1 && !conversion_scheme(hardware, noise).rows;
  if (plan.merged) parts = {{{0, matrix_rows}, 0}};
  plan.blocks = make_blocks(geometry, parts);
  const int rows = std::ranges::max(plan.blocks, {}, &PlanBlock::rows).rows;
  plan.tile = tile_windows(geometry.out_height() * geometry.out_width(), rows);
  return plan;
}

/// Takes products of bytes where the plan allows it and they are exact.
void plan_integers(MatrixPlan& plan, const LayerHardware& hardware) {
  const std::optional<IntegerCells> cells = integer_cells(hardware);
  if (!cells) return;
  const int rows = std::ranges::max(plan.blocks, {}, &PlanBlock::rows).rows;
  if (IntegerProduct::exact(cells->largest_input, cells->largest_weight, rows)) plan.integers = cells;
}

}  // namespace

double MatrixPlan::overhead(const ConvolutionShape& geometry) const {
  if (execution != MatrixExecution::direct) return 1;
  double computed = 0;
  for (const PlanBlock& block : blocks) computed += static_cast<double>(block.channels) * kernel_size(geometry);
  return computed / geometry.rows();
}

bool drives_windows(const LayerHardware& hardware) {
  return hardware.dac.range == RangeRule::per_vector || hardware.adc.bound_management > 0;
}

MatrixPlan plan_matrix(const ConvolutionShape& geometry, const LayerHardware& hardware, NoisePath noise) {
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
  const double overhead = plan.overhead(geometry);
  if (plan.merged) {
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
  MatrixPlan plan = blocks_of(geometry, hardware, noise);
  plan.execution = execution;
  plan.reason = "forced";
  return plan;
}

}  // namespace crossgrid
