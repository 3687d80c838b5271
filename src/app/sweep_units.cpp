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
    : context_(context), work_(work), unit_images_(unit_images), retry_failed_(retry_failed), shard_(shard) {
  std::uint64_t chip = 0;
  IdSet seen(context_.grid.size());
  for (std::uint64_t index = 0; index < context_.grid.size(); ++index) {
    const Id128 id = context_.grid.id(index);
    if (seen.insert(id)) total_ += units_of(index, id, chip).size();
  }
}

std::vector<Unit> SweepUnits::units_of(std::uint64_t index, const Id128& id, std::uint64_t& chip) const {
  std::vector<Unit> units;
  const ImageSpan whole{context_.first_image, context_.image_count};
  for (std::uint32_t trial = 0; trial < context_.grid.trials(index); ++trial) {
    if (!shard_.has(chip++)) continue;
    for (const ImageSpan& span : work_.missing(id, trial, whole, context_.sweep.metrics, retry_failed_)) {
      for (std::uint64_t first = span.first; first < span.end();) {
        const std::uint64_t cut = std::min(span.end(), (first / unit_images_ + 1) * unit_images_);
        units.push_back({index, trial, first, static_cast<std::uint32_t>(cut - first)});
        first = cut;
      }
    }
  }
  return units;
}

bool SweepUnits::advance() {
  while (index_ < context_.grid.size()) {
    const std::uint64_t index = index_++;
    const Id128 id = context_.grid.id(index);
    if (!seen_.insert(id)) continue;
    const std::vector<Unit> units = units_of(index, id, chip_);
    if (units.empty()) continue;
    const PointCost cost = point_cost(context_, index);
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

std::uint32_t default_unit_images(std::uint64_t images, std::uint64_t chips, int workers) {
  const std::uint64_t wanted_units = units_per_worker * static_cast<std::uint64_t>(std::max(workers, 1));
  const std::uint64_t cuts = std::max<std::uint64_t>(1, wanted_units / std::max<std::uint64_t>(chips, 1));
  const std::uint64_t size = (images + cuts - 1) / cuts;
  const std::uint64_t rounded = (size + least_unit_images - 1) / least_unit_images * least_unit_images;
  return static_cast<std::uint32_t>(std::clamp(rounded, least_unit_images, most_unit_images));
}

}  // namespace crossgrid
