#pragma once

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

  /// The smallest; or those of a level, 0 being the whole.
  const std::vector<Area>& areas() const { return levels_.back().areas; }
  const std::vector<Area>& areas(std::size_t level) const { return levels_[level].areas; }

  /// Of every level above areas(), from the whole down.
  using Joints = std::vector<std::vector<Joint>>;

  /// Merges the blocks of areas() to one. joints: of all merges; null: not wanted.
  Block merged(const Loop& loop, std::vector<Block> blocks, Joints* joints = nullptr) const {
    if (joints != nullptr) joints->resize(levels_.size() - 1);
    for (std::size_t k = levels_.size() - 1; k-- > 0;) {
      const bool side_by_side = levels_[k].side_by_side;
      std::vector<Block> wholes(blocks.size() / 2);
      if (joints != nullptr) (*joints)[k].resize(wholes.size());
      const auto merge = [&](std::size_t place, const Loop& inside) {
        const Block a = std::move(blocks[2 * place]), b = std::move(blocks[2 * place + 1]);
        Joint* const kept = joints != nullptr ? &(*joints)[k][place] : nullptr;
        wholes[place] = side_by_side ? joined(inside, a, Port::right, b, Port::left, 1, kept)
                                     : joined(inside, a, Port::top, b, Port::bottom, -1, kept);
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

/// Areas of one shape, which are solved side by side.
struct Likes {
  const Area* areas[lanes] = {};
  std::size_t places[lanes] = {};
  int count = 0;
};

/// Equal in size and in the edges of the array that they are at.
bool alike(const WiredArray& array, const Area& a, const Area& b) {
  return a.rows == b.rows && a.cols == b.cols && (a.row == 0) == (b.row == 0) && (a.col == 0) == (b.col == 0) &&
         (a.row + a.rows == array.rows) == (b.row + b.rows == array.rows) &&
         (a.col + a.cols == array.cols) == (b.col + b.cols == array.cols);
}

/// All areas, in groups of like ones.
inline std::vector<Likes> groups_of(const WiredArray& array, const std::vector<Area>& areas) {
  std::vector<Likes> groups;
  std::vector<char> taken(areas.size(), 0);
  for (std::size_t first = 0; first < areas.size(); ++first) {
    if (taken[first] != 0) continue;
    Likes group;
    for (std::size_t k = first; k < areas.size() && group.count < lanes; ++k) {
      if (taken[k] != 0 || !alike(array, areas[first], areas[k])) continue;
      taken[k] = 1;
      group.areas[group.count] = &areas[k], group.places[group.count++] = k;
    }
    groups.push_back(group);
  }
  return groups;
}

}  // namespace
}  // namespace crossgrid::avx2
