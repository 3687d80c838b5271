#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "crossgrid/app/sweep_context.hpp"
#include "crossgrid/engine/recorded_work.hpp"
#include "crossgrid/engine/scheduler.hpp"
#include "crossgrid/engine/shard.hpp"

namespace crossgrid {

/// Units of a sweep that still have to be run, in grid order (neighbours share networks, calibrations and chips):
/// points equal to an earlier one are skipped, other shards' chips and done images left out, the rest cut at multiples
/// of `unit_images`. Where the sweep decides in rounds, `work` must hold the results of a round when the next is asked
/// for.
class SweepUnits : public UnitSource {
 public:
  /// `context` and `work` must outlive the units.
  SweepUnits(const SweepContext& context, const RecordedWork& work, std::uint32_t unit_images, bool retry_failed,
             const Shard& shard = {});

  SweepUnits(const SweepUnits&) = delete;
  SweepUnits& operator=(const SweepUnits&) = delete;

  std::optional<PlannedUnit> next() override;
  std::uint64_t total() const override { return total_; }
  bool next_round() override;

 private:
  void begin_round();
  /// Units of the next point that has any, into `ready_`; false at the end of the round.
  bool advance();
  std::vector<Unit> units_of(const std::vector<Chip>& chips) const;

  const SweepContext& context_;
  const RecordedWork& work_;
  std::uint32_t unit_images_;
  bool retry_failed_;
  Shard shard_;
  RoundPlan plan_;
  ChosenPoints points_;
  std::optional<ChipWalk> walk_;
  std::vector<bool> has_units_;  ///< by step of the walk, when the round began
  std::size_t step_ = 0;
  std::uint64_t total_ = 0;
  std::deque<PlannedUnit> ready_;
};

/// Images per unit where the user gave none: a whole trial while that leaves every worker several units, less where it
/// does not, never more than 2048.
std::uint32_t default_unit_images(std::uint64_t images, std::uint64_t chips, int workers);

/// Units that a chip's images are cut into.
std::uint64_t units_of_chip(const SweepContext& context, std::uint32_t unit_images);

}  // namespace crossgrid
