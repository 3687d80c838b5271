#include "crossgrid/engine/round_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "crossgrid/base/error.hpp"
#include "crossgrid/engine/statistics.hpp"

namespace crossgrid {

bool ChipWalk::next(std::vector<Chip>& chips) {
  chips.clear();
  while (chips.empty() && at_ < points_->size()) {
    const Grid& grid = points_->grid();
    const std::uint64_t n = at_++;
    if (points_->whole() && grid.repeats(n)) continue;
    const PointIdentity point = grid.identity(points_->index(n));
    const std::uint32_t trials = points_->whole() ? point.trials : (*points_)[n].trials;
    Chip chip{points_->index(n), point.id, 0, 0};
    std::uint32_t first = 0;
    std::uint32_t& walked = points_->whole() ? first : walked_[chip.point];
    for (; walked < trials; ++walked) {
      chip.trial = walked;
      chip.number = number_++;
      chips.push_back(chip);
    }
  }
  return !chips.empty();
}

void for_each_chip(const ChosenPoints& points, const std::function<void(const Chip&)>& visit) {
  std::vector<Chip> chips;
  for (ChipWalk walk(points); walk.next(chips);) {
    for (const Chip& chip : chips) visit(chip);
  }
}

const char* case_name(Crossing::Case what) {
  switch (what) {
    case Crossing::Case::found:
      return "found";
    case Crossing::Case::always_met:
      return "always_met";
    case Crossing::Case::never_met:
      return "never_met";
    case Crossing::Case::undecided:
      return "undecided";
    case Crossing::Case::open:
      return "open";
  }
  return "";
}

std::vector<std::uint32_t> trial_schedule(std::uint32_t first, std::uint32_t trials) {
  std::vector<std::uint32_t> schedule;
  for (std::uint64_t count = first; count < trials; count *= 2) schedule.push_back(static_cast<std::uint32_t>(count));
  schedule.push_back(trials);
  return schedule;
}

RoundPlan::RoundPlan(const SweepFile& sweep, const Grid& grid, ImageSpan images)
    : grid_(grid), images_(images), bisect_(sweep.bisect), rounds_(sweep.rounds), trials_(sweep.trials) {
  if (bisect_) {
    metric_ = {bisect_->metric};
    lines_ = grid.lines(bisect_->axis);
  } else if (rounds_) {
    metric_ = {rounds_->metric};
  }
}

/// Of accuracies the higher is better, of all other metrics the lower.
bool RoundPlan::better(double a, double b) const {
  return metric_.front().starts_with("top") ? a > b : a < b;
}

/// Over the first `trials` trials of a point, whatever others are recorded.
RoundPlan::Mean RoundPlan::mean(std::uint64_t index, std::uint32_t trials, const RecordedWork& work) const {
  Mean result;
  const Id128 id = grid_.id(index);
  std::vector<double> means;
  bool finite = true;
  for (std::uint32_t trial = 0; trial < trials; ++trial) {
    const TrialState state = work.trial(id, trial, images_, metric_);
    if (!state.done && !state.settled) return {};
    if (!state.done) continue;
    const MetricSum& sum = state.metrics.at(metric_.front());
    finite = finite && sum.not_finite == 0 && sum.count > 0;
    means.push_back(sum.count > 0 ? sum.mean() : 0);
  }
  result.settled = true;
  const TrialStatistics statistics = trial_statistics(means);
  if (finite && !means.empty()) result.value = statistics.mean;
  result.width = statistics.ci95_high - statistics.ci95_low;
  return result;
}

/// How far the bisection of one line has come.
struct RoundPlan::Search {
  std::vector<std::uint64_t> asked;  ///< points, in the order in which they were asked for
  Crossing::Case what = Crossing::Case::open;
  std::optional<double> threshold;
  std::size_t before = 0, after = 0;  ///< places in the line of the last two that differ
  Mean mean_before, mean_after;
  std::uint32_t round = 1;
};

/// Both ends, then always the middle of the part whose ends lie on different sides of the threshold.
RoundPlan::Search RoundPlan::search(const std::vector<std::uint64_t>& line, const RecordedWork& work) const {
  Search search;
  const auto ask = [&](std::size_t place) {
    search.asked.push_back(line[place]);
    return mean(line[place], grid_.trials(line[place]), work);
  };
  search.after = line.size() - 1;
  search.mean_before = ask(0);
  search.mean_after = line.size() > 1 ? ask(search.after) : search.mean_before;
  if (!search.mean_before.settled || !search.mean_after.settled) return search;
  search.what = Crossing::Case::undecided;
  if (!search.mean_before.value || !search.mean_after.value) return search;
  const double worse = better(1, 0) ? -bisect_->worse_by : bisect_->worse_by;
  const double threshold = bisect_->threshold.value_or(*search.mean_before.value + worse);
  search.threshold = threshold;
  // The threshold itself is met, whatever the last bits of a difference say.
  const double rounding = 1e-12 * std::max(std::abs(threshold), bisect_->worse_by);
  const auto met = [&](const Mean& mean) {
    return !better(threshold, *mean.value) || std::abs(*mean.value - threshold) <= rounding;
  };
  const bool met_before = met(search.mean_before);
  if (met_before == met(search.mean_after)) {
    search.what = met_before ? Crossing::Case::always_met : Crossing::Case::never_met;
    return search;
  }
  while (search.after - search.before > 1) {
    const std::size_t middle = search.before + (search.after - search.before) / 2;
    const Mean found = ask(middle);
    ++search.round;
    if (!found.settled || !found.value) {
      search.what = found.settled ? Crossing::Case::undecided : Crossing::Case::open;
      return search;
    }
    (met(found) == met_before ? search.before : search.after) = middle;
    (met(found) == met_before ? search.mean_before : search.mean_after) = found;
  }
  search.what = Crossing::Case::found;
  return search;
}

RoundPlan::Choice RoundPlan::choose_by_bisection(const RecordedWork& work) const {
  // A round is over when all lines are: those that are ahead wait.
  std::vector<Search> searches;
  std::uint32_t round = 1;
  bool open = false;
  for (const auto& line : lines_) {
    Search& made = searches.emplace_back(search(line, work));
    const bool waits = made.what == Crossing::Case::open;
    if (!waits) {
      if (!open) round = std::max(round, made.round);
    } else {
      round = open ? std::min(round, made.round) : made.round;
      open = true;
    }
  }
  std::vector<ChosenPoint> some;
  for (const Search& made : searches) {
    // The first round asks for both ends, each later one for one more.
    const std::size_t most = open ? std::size_t{round} + 1 : made.asked.size();
    for (std::size_t i = 0; i < std::min(most, made.asked.size()); ++i) {
      some.push_back({made.asked[i], grid_.trials(made.asked[i])});
    }
  }
  std::sort(some.begin(), some.end(), [](const ChosenPoint& a, const ChosenPoint& b) { return a.index < b.index; });
  return {ChosenPoints(grid_, std::move(some)), round};
}

RoundPlan::Choice RoundPlan::choose_by_trials(const RecordedWork& work) const {
  const std::vector<std::uint32_t> schedule = trial_schedule(rounds_->first, trials_);
  std::vector<ChosenPoint> all;
  std::vector<std::size_t> running;  // places in `all`
  for (std::uint64_t index = 0; index < grid_.size(); ++index) {
    running.push_back(all.size());
    all.push_back({index, std::min(grid_.trials(index), schedule.front())});
  }
  std::uint32_t round = 1;
  for (; round < schedule.size(); ++round) {
    std::vector<Mean> means(all.size());
    bool settled = true;
    for (const std::size_t place : running) {
      means[place] = mean(all[place].index, all[place].trials, work);
      settled = settled && means[place].settled;
    }
    if (!settled) break;
    const auto in_running = static_cast<double>(running.size());
    std::erase_if(running, [&](std::size_t place) { return !means[place].value; });
    if (rounds_->keep_best) {
      const auto kept = static_cast<std::size_t>(std::ceil(*rounds_->keep_best * in_running));
      std::stable_sort(running.begin(), running.end(),
                       [&](std::size_t a, std::size_t b) { return better(*means[a].value, *means[b].value); });
      running.resize(std::min(running.size(), kept));
      std::sort(running.begin(), running.end());
    }
    bool more = false;
    for (const std::size_t place : running) {
      const bool known = rounds_->stop_width && means[place].width <= *rounds_->stop_width;
      const std::uint32_t trials = std::min(grid_.trials(all[place].index), schedule[round]);
      if (known || trials == all[place].trials) continue;
      all[place].trials = trials;
      more = true;
    }
    if (!more) break;
  }
  return {ChosenPoints(grid_, std::move(all)),
          std::min<std::uint32_t>(round, static_cast<std::uint32_t>(schedule.size()))};
}

RoundPlan::Choice RoundPlan::choose(const RecordedWork& work) const {
  if (bisect_) return choose_by_bisection(work);
  if (rounds_) return choose_by_trials(work);
  return {ChosenPoints(grid_), 1};
}

RoundPlan::Bound RoundPlan::bound() const {
  Bound bound;
  if (bisect_) {
    for (const auto& line : lines_) {
      // After both ends, each round halves what lies between.
      const std::uint32_t halvings = line.size() < 3 ? 0 : static_cast<std::uint32_t>(std::bit_width(line.size() - 2));
      const std::uint64_t points = std::min<std::uint64_t>(line.size(), 2 + halvings);
      std::uint32_t trials = 0;
      for (const std::uint64_t index : line) trials = std::max(trials, grid_.trials(index));
      bound.points += points;
      bound.chips += points * trials;
      bound.rounds = std::max(bound.rounds, 1 + halvings);
    }
    return bound;
  }
  bound.points = grid_.size();
  if (!rounds_) {
    for (std::uint64_t index = 0; index < grid_.size(); ++index) bound.chips += grid_.trials(index);
    return bound;
  }
  const std::vector<std::uint32_t> schedule = trial_schedule(rounds_->first, trials_);
  std::uint64_t running = grid_.size();
  std::uint32_t before = 0;
  for (const std::uint32_t trials : schedule) {
    bound.chips += running * (trials - before);
    before = trials;
    if (rounds_->keep_best) {
      running = static_cast<std::uint64_t>(std::ceil(*rounds_->keep_best * static_cast<double>(running)));
    }
  }
  bound.rounds = static_cast<std::uint32_t>(schedule.size());
  return bound;
}

namespace {

/// Where a line through two values of a column and their means meets the threshold.
Json interpolated(const Json& before, const Json& after, double mean_before, double mean_after, double threshold) {
  if (!before.is_number() || !after.is_number()) return {};
  const double part = (threshold - mean_before) / (mean_after - mean_before);
  return before.get<double>() + part * (after.get<double>() - before.get<double>());
}

}  // namespace

std::vector<Crossing> RoundPlan::crossings(const RecordedWork& work) const {
  std::vector<Crossing> list;
  if (!bisect_) return list;
  const auto axes_of = [&](std::uint64_t index) { return grid_.point(index).axes; };
  const auto bisected = [&](const std::string& column) {
    return std::find(bisect_->columns.begin(), bisect_->columns.end(), column) != bisect_->columns.end();
  };
  for (const auto& line : lines_) {
    const Search made = search(line, work);
    Crossing crossing;
    crossing.what = made.what;
    crossing.metric = bisect_->metric;
    crossing.threshold = made.threshold;
    const bool found = made.what == Crossing::Case::found;
    if (found) crossing.mean_before = made.mean_before.value, crossing.mean_after = made.mean_after.value;
    const auto before = axes_of(line[made.before]), after = axes_of(line[made.after]);
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (!bisected(before[i].first)) {
        crossing.others.push_back(before[i]);
        continue;
      }
      Crossing::Column column{before[i].first, {}, {}, {}};
      if (found) {
        column.before = before[i].second;
        column.after = after[i].second;
        column.crossing =
            interpolated(column.before, column.after, *crossing.mean_before, *crossing.mean_after, *made.threshold);
      }
      crossing.columns.push_back(std::move(column));
    }
    list.push_back(std::move(crossing));
  }
  return list;
}

}  // namespace crossgrid
