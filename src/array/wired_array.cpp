#include "wired_array.hpp"

#include <utility>
#include <vector>

#include "leaf_block.hpp"

namespace crossgrid::avx2 {
namespace {

/// Blocks up to this size are one task, from their leaves on.
constexpr Index task_size = 64;
/// Levels of fewer merges share out the products of each, where they are long; others the merges.
constexpr std::size_t few_merges = 4;

/// An array cut in halves again and again, all areas of a level along the same axis: areas 2k (left, or lower) and
/// 2k + 1 of a level were area k of the one before.
class Cuts {
 public:
  Cuts(const Area& whole, Index largest) {
    levels_.push_back({{whole}});
    for (;;) {
      Level& level = levels_.back();
      Index rows = 0, cols = 0;
      for (const Area& area : level.areas) {
        rows = area.rows > rows ? area.rows : rows, cols = area.cols > cols ? area.cols : cols;
      }
      if (rows <= largest && cols <= largest) return;
      level.side_by_side = cols > rows;
      Level halves;
      for (const Area& area : level.areas) cut(area, level.side_by_side, halves.areas);
      levels_.push_back(std::move(halves));
    }
  }

  const std::vector<Area>& areas() const { return levels_.back().areas; }

  /// Merges the blocks of areas() to one.
  Block merged(const Loop& loop, std::vector<Block> blocks) const {
    for (std::size_t k = levels_.size() - 1; k-- > 0;) {
      const bool side_by_side = levels_[k].side_by_side;
      std::vector<Block> wholes(blocks.size() / 2);
      const auto merge = [&](std::size_t place, const Loop& inside) {
        const Block a = std::move(blocks[2 * place]), b = std::move(blocks[2 * place + 1]);
        wholes[place] = side_by_side ? joined(inside, a, Port::right, b, Port::left, 1)
                                     : joined(inside, a, Port::top, b, Port::bottom, -1);
      };
      if (wholes.size() >= few_merges) {
        loop(wholes.size(), [&](std::size_t place) { merge(place, one_by_one()); });
      } else {
        for (std::size_t place = 0; place < wholes.size(); ++place) merge(place, loop);
      }
      blocks = std::move(wholes);
    }
    return std::move(blocks.front());
  }

  static Loop one_by_one() {
    return {[](const void*, std::size_t count, void (*body)(const void*, std::size_t), const void* task) {
              for (std::size_t k = 0; k < count; ++k) body(task, k);
            },
            nullptr};
  }

 private:
  struct Level {
    std::vector<Area> areas;
    bool side_by_side = false;  ///< its areas' halves
  };

  static void cut(const Area& area, bool side_by_side, std::vector<Area>& halves) {
    if (side_by_side) {
      const Index half = area.cols / 2;
      halves.push_back({area.row, area.rows, area.col, half});
      halves.push_back({area.row, area.rows, area.col + half, area.cols - half});
    } else {
      const Index half = area.rows / 2;
      halves.push_back({area.row + half, area.rows - half, area.col, area.cols});
      halves.push_back({area.row, half, area.col, area.cols});
    }
  }

  std::vector<Level> levels_;
};

/// Equal in size and in the edges of the array that they are at.
bool alike(const WiredArray& array, const Area& a, const Area& b) {
  return a.rows == b.rows && a.cols == b.cols && (a.row == 0) == (b.row == 0) && (a.col == 0) == (b.col == 0) &&
         (a.row + a.rows == array.rows) == (b.row + b.rows == array.rows) &&
         (a.col + a.cols == array.cols) == (b.col + b.cols == array.cols);
}

/// The block of one task.
Block solved(const WiredArray& array, const Area& whole) {
  const Cuts cuts(whole, leaf_size);
  const std::vector<Area>& areas = cuts.areas();
  std::vector<Block> blocks(areas.size());
  for (std::size_t first = 0; first < areas.size(); ++first) {
    if (blocks[first].gain.size() > 0) continue;
    const Area* taken[lanes] = {&areas[first]};
    Block* results[lanes] = {&blocks[first]};
    int count = 1;
    for (std::size_t k = first + 1; k < areas.size() && count < lanes; ++k) {
      if (blocks[k].gain.size() > 0 || !alike(array, areas[first], areas[k])) continue;
      taken[count] = &areas[k], results[count++] = &blocks[k];
    }
    const LeafBlocks leaves(array, taken, count);
    for (int lane = 0; lane < count; ++lane) *results[lane] = leaves.block(lane);
  }
  return cuts.merged(Cuts::one_by_one(), std::move(blocks));
}

}  // namespace

void solve_transfer(const WiredArray& array, const Loop& loop, double* transfer) {
  // Eigen's blocks, and with them the order of its sums, must not follow the caches of the machine.
  static const bool sized = (Eigen::setCpuCacheSizes(32 << 10, 512 << 10, 4 << 20), true);
  (void)sized;
  const Cuts cuts({0, array.rows, 0, array.cols}, task_size);
  std::vector<Block> blocks(cuts.areas().size());
  loop(blocks.size(), [&](std::size_t k) { blocks[k] = solved(array, cuts.areas()[k]); });
  const Block root = cuts.merged(loop, std::move(blocks));
  // Stacked blocks count word lines from the lowest up, and what a bit line brings to its ADC has a minus.
  for (Index j = 0; j < array.cols; ++j) {
    for (Index i = 0; i < array.rows; ++i) transfer[j * array.rows + i] = -root.gain(j, array.rows - 1 - i);
  }
}

}  // namespace crossgrid::avx2
