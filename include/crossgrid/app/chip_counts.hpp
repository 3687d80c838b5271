#pragma once

#include <cstdint>
#include <vector>

#include "crossgrid/app/sweep_context.hpp"
#include "crossgrid/base/error.hpp"
#include "crossgrid/engine/recorded_work.hpp"

namespace crossgrid {

/// How far the chips of a sweep, or of a shard, are; where a sweep decides in rounds, those chosen so far.
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

}  // namespace crossgrid
