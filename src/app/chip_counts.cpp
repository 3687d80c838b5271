#include "crossgrid/app/chip_counts.hpp"

#include <unordered_set>

namespace crossgrid {

ExitCode ChipCounts::exit_code() const {
  if (left() > 0) return ExitCode::to_be_continued;
  return failed > 0 ? ExitCode::failed_points : ExitCode::success;
}

void for_each_chip(const Grid& grid, const std::function<void(const Chip&)>& visit) {
  std::unordered_set<Id128, Id128Hasher> seen;
  Chip chip;
  for (chip.index = 0; chip.index < grid.size(); ++chip.index) {
    chip.point = grid.id(chip.index);
    if (!seen.insert(chip.point).second) continue;
    const std::uint32_t trials = grid.trials(chip.index);
    for (chip.trial = 0; chip.trial < trials; ++chip.trial, ++chip.number) visit(chip);
  }
}

ChipCounts count_chips(const SweepContext& context, const RecordedWork& work, const Shard& shard) {
  const ImageSpan whole{context.first_image, context.image_count};
  ChipCounts counts;
  for_each_chip(context.grid, [&](const Chip& chip) {
    if (!shard.has(chip.number)) return;
    ++counts.chips;
    if (!work.has_point(chip.point)) return;
    const TrialState state = work.trial(chip.point, chip.trial, whole, context.sweep.metrics);
    if (state.done) {
      ++counts.done;
    } else if (state.settled) {
      ++counts.failed;
    }
  });
  return counts;
}

}  // namespace crossgrid
