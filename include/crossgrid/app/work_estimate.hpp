#pragma once

#include <cstdint>
#include <string>

#include "crossgrid/app/sweep_context.hpp"
#include "crossgrid/engine/recorded_work.hpp"
#include "crossgrid/engine/shard.hpp"

namespace crossgrid {

/// What a unit of a point takes of one thread of a current processor [s]: a first guess, which measured times correct
/// by one factor. Fitted to the run times of the sweeps in sweeps/ (docs/engine.md, "Predicted and measured").
struct PointCost {
  double per_unit = 0;
  double per_image = 0;
  double of(double units, double images) const { return units * per_unit + images * per_image; }
};
PointCost point_cost(const SweepContext& context, std::uint64_t index);

/// What a sweep costs before anything has run, or what is left of it; where it decides in rounds, at most. Costs and
/// disk are of up to some hundred points, evenly spread.
struct WorkEstimate {
  std::uint64_t points = 0;      ///< of the grid, or as many of them as can be chosen
  std::uint64_t duplicates = 0;  ///< points equal to an earlier one: computed once
  std::uint64_t chips = 0;       ///< (point, trial) pairs that are computed
  std::uint64_t inferences = 0;  ///< images of chips that are left
  double gigaflops = 0;          ///< of their products
  double seconds_per_image = 0;  ///< mean of PointCost::per_image over inferences
  double seconds_per_unit = 0;   ///< mean of PointCost::per_unit over chips that are left
  double megabytes = 0;          ///< peak memory of an executor: network, images, chips
  double definition_bytes = 0;   ///< mean size of what the journal says of a point
  std::size_t metrics = 0;

  /// Of one thread [s].
  double thread_seconds(std::uint64_t units) const {
    return static_cast<double>(units) * seconds_per_unit + static_cast<double>(inferences) * seconds_per_image;
  }
  /// Of the output folder of the whole sweep, cut into `units`.
  double disk_megabytes(std::uint64_t units) const;
};
/// Of chips of the shard that are not in `recorded`.
WorkEstimate estimate_work(const SweepContext& context, const RecordedWork& recorded = {}, const Shard& shard = {});

/// "12 s", "3 min 20 s", "5 h 02 min", "2 d 3 h".
std::string duration_text(double seconds);
/// "about 12 s", but "under 1 s".
std::string about_text(double seconds);
/// 12345 -> "12,345".
std::string grouped(std::uint64_t number);
/// "1 point", "12,345 points".
std::string counted(std::uint64_t number, const char* noun);

}  // namespace crossgrid
