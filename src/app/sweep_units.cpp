#include "crossgrid/app/sweep_units.hpp"

#include <algorithm>

#include "crossgrid/app/work_estimate.hpp"

namespace crossgrid {

namespace {
constexpr std::uint64_t most_unit_images = 2048;
constexpr std::uint64_t least_unit_images = 64;
constexpr std::uint64_t units_per_worker = 8;
}  // namespace

SweepUnits::SweepUnits(const SweepContext& context, const RecordedWork& work, std::uint32_t unit_images,
                       bool retry_failed, const Shard& shard)
    : context_(context),
      work_(work),
      unit_images_(unit_images),
      retry_failed_(retry_failed),
      shard_(shard),
      plan_(round_plan(context)),
      points_(context.grid) {
  begin_round();
}

void SweepUnits::begin_round() {
  points_ = plan_.choose(work_).points;
  has_units_.clear();
  step_ = 0;
  std::vector<Chip> chips;
  for (ChipWalk walk(points_); walk.next(chips);) {
    const std::size_t units = units_of(chips).size();
    has_units_.push_back(units > 0);
    total_ += units;
  }
  walk_.emplace(points_);
}

bool SweepUnits::next_round() {
  if (!plan_.in_rounds()) return false;
  retry_failed_ = false;  // each failed unit once
  const std::uint64_t before = total_;
  begin_round();
  return total_ > before;
}

std::vector<Unit> SweepUnits::units_of(const std::vector<Chip>& chips) const {
  std::vector<Unit> units;
  const ImageSpan whole{context_.first_image, context_.image_count};
  for (const Chip& chip : chips) {
    if (!shard_.has(chip.number)) continue;
    for (const ImageSpan& span : work_.missing(chip.point, chip.trial, whole, context_.sweep.metrics, retry_failed_)) {
      for (std::uint64_t first = span.first; first < span.end();) {
        const std::uint64_t cut = std::min(span.end(), (first / unit_images_ + 1) * unit_images_);
        units.push_back({chip.index, chip.trial, first, static_cast<std::uint32_t>(cut - first)});
        first = cut;
      }
    }
  }
  return units;
}

bool SweepUnits::advance() {
  std::vector<Chip> chips;
  while (walk_->next(chips)) {
    if (!has_units_[step_++]) continue;
    const std::vector<Unit> units = units_of(chips);
    const PointCost cost = point_cost(context_, chips.front().index);
    for (const Unit& unit : units) ready_.push_back({unit, cost.of(1, unit.count)});
    return true;
  }
  return false;
}

std::optional<PlannedUnit> SweepUnits::next() {
  if (ready_.empty() && !advance()) return std::nullopt;
  const PlannedUnit unit = ready_.front();
  ready_.pop_front();
  return unit;
}

std::uint64_t units_of_chip(const SweepContext& context, std::uint32_t unit_images) {
  const std::uint64_t end = context.first_image + context.image_count;
  return (end + unit_images - 1) / unit_images - context.first_image / unit_images;
}

std::uint32_t default_unit_images(std::uint64_t images, std::uint64_t chips, int workers) {
  const std::uint64_t wanted_units = units_per_worker * static_cast<std::uint64_t>(std::max(workers, 1));
  const std::uint64_t cuts = std::max<std::uint64_t>(1, wanted_units / std::max<std::uint64_t>(chips, 1));
  const std::uint64_t size = (images + cuts - 1) / cuts;
  const std::uint64_t rounded = (size + least_unit_images - 1) / least_unit_images * least_unit_images;
  return static_cast<std::uint32_t>(std::clamp(rounded, least_unit_images, most_unit_images));
}

}  // namespace crossgrid
