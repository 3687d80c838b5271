#include "wired_array.hpp"

#include <vector>

#include "array_cuts.hpp"
#include "kept_tree.hpp"

namespace crossgrid::avx2 {
namespace {

/// The block of one task.
Block solved(const WiredArray& array, const Area& whole) {
  const Cuts cuts(whole, leaf_size);
  std::vector<Block> blocks(cuts.areas().size());
  for (const Likes& likes : groups_of(array, cuts.areas())) {
    const LeafBlocks leaves(array, likes.areas, likes.count);
    for (int lane = 0; lane < likes.count; ++lane) blocks[likes.places[lane]] = leaves.block(lane);
  }
  return cuts.merged(Cuts::one_by_one(), std::move(blocks));
}

/// Eigen's blocks, and with them the order of its sums, must not follow the caches of the machine.
void fix_block_sizes() {
  static const bool fixed = (Eigen::setCpuCacheSizes(32 << 10, 512 << 10, 4 << 20), true);
  (void)fixed;
}

}  // namespace

void solve_transfer(const WiredArray& array, const Loop& loop, double* transfer) {
  fix_block_sizes();
  const Cuts cuts({0, array.rows, 0, array.cols}, task_size);
  std::vector<Block> blocks(cuts.areas().size());
  loop(blocks.size(), [&](std::size_t k) { blocks[k] = solved(array, cuts.areas()[k]); });
  const Block root = cuts.merged(loop, std::move(blocks));
  // Stacked blocks count word lines from the lowest up, and what a bit line brings to its ADC has a minus.
  for (Index j = 0; j < array.cols; ++j) {
    for (Index i = 0; i < array.rows; ++i) transfer[j * array.rows + i] = -root.gain(j, array.rows - 1 - i);
  }
}

struct KeptArray {
  KeptArray(const WiredArray& array, const Loop& loop) : tree(array, loop) {}
  KeptTree tree;
};

KeptArray* keep_array(const WiredArray& array, const Loop& loop) {
  fix_block_sizes();
  return new KeptArray(array, loop);
}

void drop_array(const KeptArray* array) {
  delete array;
}

void solve_kept(const KeptArray& array, const CellList& cells, const Sources& sources, const Response& response) {
  array.tree.solve(cells, sources, response);
}

void kept_transfer(const KeptArray& array, double* transfer) {
  array.tree.transfer(transfer);
}

}  // namespace crossgrid::avx2
