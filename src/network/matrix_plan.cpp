#include "crossgrid/network/matrix_plan.hpp"

#include <algorithm>

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

std::vector<PlanBlock> make_blocks(const ConvolutionShape& geometry, const std::vector<Part>& parts) {
  std::vector<PlanBlock> blocks;
  const int kernel = kernel_size(geometry);
  for (const Part& part : parts) {
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
  std::vector<Part> parts = partition(geometry.rows(), hardware.array.rows_max, hardware.array.rows_partition);
  plan.merged = parts.size() > 1 && hardware.adc.model == ConverterModel::ideal && noise == NoisePath::none;
  if (plan.merged) parts = {{0, geometry.rows()}};
  plan.blocks = make_blocks(geometry, parts);
  const int rows = std::ranges::max(plan.blocks, {}, &PlanBlock::rows).rows;
  plan.tile = tile_windows(geometry.out_height() * geometry.out_width(), rows);
  return plan;
}

}  // namespace

double MatrixPlan::overhead(const ConvolutionShape& geometry) const {
  if (execution != MatrixExecution::direct) return 1;
  double computed = 0;
  for (const PlanBlock& block : blocks) computed += static_cast<double>(block.channels) * kernel_size(geometry);
  return computed / geometry.rows();
}

MatrixPlan plan_matrix(const ConvolutionShape& geometry, const LayerHardware& hardware, NoisePath noise) {
  MatrixPlan plan = blocks_of(geometry, hardware, noise);
  if (noise == NoisePath::per_cell) {
    plan.execution = MatrixExecution::cell_by_cell;
    plan.reason = "read noise draws every cell at every MVM";
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
  }
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
