#include "crossgrid/app/chip_counts.hpp"

#include "crossgrid/engine/shard.hpp"

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
    const TrialProgress found = work.progress(chip.point, chip.trial, whole, context.sweep.metrics);
    if (found.done) {
      ++counts.done;
    } else if (found.settled) {
      ++counts.failed;
    }
  });
  return all;
}

}  // namespace crossgrid
