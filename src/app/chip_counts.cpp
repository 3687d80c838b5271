#include "crossgrid/app/chip_counts.hpp"

namespace crossgrid {

ExitCode ChipCounts::exit_code() const {
  if (left() > 0) return ExitCode::to_be_continued;
  return failed > 0 ? ExitCode::failed_points : ExitCode::success;
}

std::vector<ChipCounts> count_chips(const SweepContext& context, const RecordedWork& work, std::uint32_t shards) {
  const ImageSpan whole{context.first_image, context.image_count};
  std::vector<ChipCounts> all(shards);
  for_each_chip(round_plan(context).choose(work).points, [&](const Chip& chip) {
    ChipCounts& counts = all[shard_of(chip.number, shards) - 1];
    ++counts.chips;
    if (!work.has_point(chip.point)) return;
    const TrialState state = work.trial(chip.point, chip.trial, whole, context.sweep.metrics);
    if (state.done) {
      ++counts.done;
    } else if (state.settled) {
      ++counts.failed;
    }
  });
  return all;
}

ChipCounts count_chips(const SweepContext& context, const RecordedWork& work, const Shard& shard) {
  return count_chips(context, work, shard.count)[shard.number - 1];
}

}  // namespace crossgrid
