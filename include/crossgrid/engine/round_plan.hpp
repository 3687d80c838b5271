#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "crossgrid/engine/recorded_work.hpp"
#include "crossgrid/sweep/grid.hpp"
#include "crossgrid/sweep/sweep_file.hpp"

namespace crossgrid {

/// A point that a sweep runs, with how many of its trials.
struct ChosenPoint {
  std::uint64_t index = 0;  ///< in the grid
  std::uint32_t trials = 1;
  bool operator==(const ChosenPoint&) const = default;
};

/// What a sweep runs: all of its grid, or some points with some of their trials. The grid must outlive it.
class ChosenPoints {
 public:
  explicit ChosenPoints(const Grid& grid) : grid_(&grid), whole_(true) {}
  /// `some`, in ascending order.
  ChosenPoints(const Grid& grid, std::vector<ChosenPoint> some) : grid_(&grid), whole_(false), some_(std::move(some)) {}

  const Grid& grid() const { return *grid_; }
  bool whole() const { return whole_; }
  std::uint64_t size() const { return whole_ ? grid_->size() : some_.size(); }
  /// Place in the grid of the n-th point.
  std::uint64_t index(std::uint64_t n) const { return whole_ ? n : some_[static_cast<std::size_t>(n)].index; }
  /// The n-th point.
  ChosenPoint operator[](std::uint64_t n) const {
    return whole_ ? ChosenPoint{n, grid_->trials(n)} : some_[static_cast<std::size_t>(n)];
  }

 private:
  const Grid* grid_;
  bool whole_;
  std::vector<ChosenPoint> some_;
};

/// A trial of a point; `number` counts chips from 0 in the order of the points, equal points share theirs.
struct Chip {
  std::uint64_t index = 0;  ///< of the first point in the grid that has it
  Id128 point;
  std::uint32_t trial = 0;
  std::uint64_t number = 0;
};

/// Walks through the chips of points, a point at a time.
class ChipWalk {
 public:
  explicit ChipWalk(const ChosenPoints& points) : points_(&points) {}
  /// The chips of the next point that has any of its own; false at the end.
  bool next(std::vector<Chip>& chips);

 private:
  const ChosenPoints* points_;
  std::uint64_t at_ = 0;
  std::uint64_t number_ = 0;
  /// Trials of each point so far; not of a whole grid, where equal points have equal trials.
  std::unordered_map<Id128, std::uint32_t, Id128Hasher> walked_;
};

void for_each_chip(const ChosenPoints& points, const std::function<void(const Chip&)>& visit);

/// Where a bisected axis crosses the threshold, for one combination of the other axes.
struct Crossing {
  enum class Case {
    found,
    always_met,  ///< the metric is at least as good as the threshold at both ends of the axis
    never_met,   ///< it is worse at both ends
    undecided,   ///< a point on the way has no finite mean
    open         ///< some point has not all results yet
  };
  std::vector<std::pair<std::string, Json>> others;  ///< the other axes' columns
  Case what = Case::open;
  std::string metric;
  std::optional<double> threshold;
  /// Columns of the axis; between which values it crosses, and where a line between the two means does (null where the
  /// values are no numbers). Null where there is no crossing.
  struct Column {
    std::string name;
    Json crossing, before, after;
  };
  std::vector<Column> columns;
  std::optional<double> mean_before, mean_after;  ///< of the metric
};

/// "found", "always_met", ...
const char* case_name(Crossing::Case what);

/// What a sweep with `bisect` or `rounds` runs, round by round. Every answer follows from the sweep and the set of
/// records alone: neither their order, nor who computed them, nor when the program was restarted counts. A round's
/// points are decided when every chip of the rounds before is done or has failed for good; results beyond what was
/// chosen (of an earlier, larger run) decide nothing.
class RoundPlan {
 public:
  /// `grid` must outlive the plan.
  RoundPlan(const SweepFile& sweep, const Grid& grid, ImageSpan images);

  /// False: all is run at once.
  bool in_rounds() const { return bisect_ || rounds_; }

  struct Choice {
    ChosenPoints points;
    std::uint32_t round = 1;  ///< counted from 1
  };
  /// All that is to be run so far. Nothing is left to do where all of it is recorded.
  Choice choose(const RecordedWork& work) const;

  /// The most that choose() can come to, whatever the results are.
  struct Bound {
    std::uint64_t points = 0;
    std::uint64_t chips = 0;  ///< equal points counted each
    std::uint32_t rounds = 1;
  };
  Bound bound() const;

  /// Of a sweep with `bisect`, in the order of the grid; else none.
  std::vector<Crossing> crossings(const RecordedWork& work) const;
  bool bisects() const { return bisect_.has_value(); }

 private:
  struct Mean {
    bool settled = false;         ///< every chip is done or has failed
    std::optional<double> value;  ///< as the database has it; none: not finite, or nothing done
    double width = 0;             ///< of the 95 % interval; not finite for fewer than two trials
  };
  struct Search;
  Mean mean(std::uint64_t index, std::uint32_t trials, const RecordedWork& work) const;
  Search search(const std::vector<std::uint64_t>& line, const RecordedWork& work) const;
  bool better(double a, double b) const;
  Choice choose_by_bisection(const RecordedWork& work) const;
  Choice choose_by_trials(const RecordedWork& work) const;

  const Grid& grid_;
  ImageSpan images_;
  std::optional<BisectRule> bisect_;
  std::optional<TrialRounds> rounds_;
  std::uint32_t trials_ = 1;                       ///< of the sweep
  std::vector<std::string> metric_;                ///< the one that decides
  std::vector<std::vector<std::uint64_t>> lines_;  ///< where bisected: points that differ in the axis only
};

/// Trials that points in the running have after each round: `first`, doubled up to `trials`.
std::vector<std::uint32_t> trial_schedule(std::uint32_t first, std::uint32_t trials);

}  // namespace crossgrid
