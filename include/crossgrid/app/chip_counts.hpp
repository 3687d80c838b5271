#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "crossgrid/app/sweep_context.hpp"
#include "crossgrid/base/error.hpp"
#include "crossgrid/engine/recorded_work.hpp"
#include "crossgrid/engine/shard.hpp"

namespace crossgrid {

/// How far the chips of a sweep, or of a shard, are.
struct ChipCounts {
  std::uint64_t chips = 0;
  std::uint64_t done = 0;
  std::uint64_t failed = 0;  ///< nothing left to do, but some images failed
  std::uint64_t left() const { return chips - done - failed; }
  /// What a run of them, or a question for them, exits with.
  ExitCode exit_code() const;
};

/// Of each of `shards` shards, in their order.
std::vector<ChipCounts> count_chips(const SweepContext& context, const RecordedWork& work, std::uint32_t shards);
/// Of one shard.
ChipCounts count_chips(const SweepContext& context, const RecordedWork& work, const Shard& shard);

/// A trial of a point; `number` counts chips from 0 in grid order, equal points share theirs.
struct Chip {
  std::uint64_t index = 0;  ///< of its first point in the grid
  Id128 point;
  std::uint32_t trial = 0;
  std::uint64_t number = 0;
};
void for_each_chip(const Grid& grid, const std::function<void(const Chip&)>& visit);

}  // namespace crossgrid
