#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "crossgrid/app/chip_counts.hpp"
#include "crossgrid/app/sweep_context.hpp"
#include "crossgrid/engine/expected_checks.hpp"
#include "crossgrid/engine/journal_reader.hpp"
#include "crossgrid/engine/shard.hpp"

namespace crossgrid {

/// How far a sweep is: all that `status` says of it, so that it can be kept in a file and need not be counted again.
struct SweepState {
  struct Points {
    std::uint64_t chosen = 0;  ///< of the grid; where the sweep decides in rounds, those chosen so far
    std::uint64_t done = 0;
    std::uint64_t failed = 0;
    std::uint64_t begun = 0;
    std::uint64_t pending() const { return chosen - done - failed - begun; }
  };
  struct Round {
    std::uint32_t number = 1;
    std::uint32_t most = 1;
    std::uint64_t most_chips = 0;  ///< in all rounds
  };
  struct Failure {
    Id128 point;
    Unit unit;
    std::uint32_t attempts = 0;
    std::string reason;
    int signal = 0;   ///< that ended the executor; 0: none did
    std::string log;  ///< the last lines that are shown
    std::string host;
  };

  std::string name;               ///< of the sweep
  std::uint64_t grid_points = 0;  ///< whether chosen or not
  std::uint64_t images = 0;       ///< of a chip
  Points points;
  ExpectedCounts expected;
  ChipCounts chips;
  std::map<std::uint32_t, std::vector<ChipCounts>> shards;  ///< of each shard, by the number of shards
  std::optional<Round> round;                               ///< of a sweep that decides in rounds
  std::vector<Failure> failures;                            ///< the first ones, in the order of the points
  std::uint64_t failures_found = 0;
  std::vector<JournalLoss> losses;  ///< the first ones; files by name, without their folder
  std::uint64_t losses_found = 0;
  std::map<std::string, JournalOwner> owners;  ///< of each journal, by SHARD

  /// Of a shard, or of all; nothing where no journal is of so many shards.
  std::optional<ChipCounts> chips_of(const Shard& shard) const;
};

/// Counts what is recorded: a pass over the whole grid.
SweepState sweep_state(const SweepContext& context, const JournalContent& journal);

/// Whether a sweep is so small that it is counted at once (about a second), whenever somebody asks.
bool counted_at_once(std::uint64_t grid_points, std::uint64_t journal_bytes);

}  // namespace crossgrid
