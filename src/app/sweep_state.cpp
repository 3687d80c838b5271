#include "crossgrid/app/sweep_state.hpp"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "crossgrid/app/output_request.hpp"
#include "crossgrid/engine/database.hpp"

namespace crossgrid {

namespace {

constexpr std::size_t most_failures = 10, most_losses = 10;
constexpr std::size_t most_log_lines = 10;
constexpr std::uint64_t few_points = 20'000;
constexpr std::uint64_t few_journal_bytes = std::uint64_t{8} << 20;

enum class ChipState : std::uint8_t { open, done, failed };

void count(ChipCounts& counts, ChipState state) {
  ++counts.chips;
  if (state == ChipState::done) ++counts.done;
  if (state == ChipState::failed) ++counts.failed;
}

/// The last lines of a log.
std::string last_lines(std::string_view log) {
  std::size_t begin = log.size();
  for (std::size_t lines = 0; lines < most_log_lines && begin > 0; ++lines) {
    const std::size_t newline = begin > 1 ? log.rfind('\n', begin - 2) : std::string_view::npos;
    begin = newline == std::string_view::npos ? 0 : newline + 1;
  }
  return std::string(log.substr(begin));
}

/// One pass over the chosen points.
class StateCounter {
 public:
  StateCounter(const SweepContext& context, const RecordedWork& work, SweepState& state)
      : context_(context), work_(work), whole_{context.first_image, context.image_count}, state_(state) {}

  void count_all(const ChosenPoints& points) {
    ChipWalk walk(points);
    std::vector<Chip> chips;
    bool more = walk.next(chips);
    for (std::uint64_t n = 0; n < points.size(); ++n) {
      const ChosenPoint point = points[n];
      look_at(point);
      // Points equal to an earlier one have no chips of their own.
      if (!more || chips.front().index != point.index) continue;
      for (const Chip& chip : chips) count_chip(chip);
      more = walk.next(chips);
    }
  }

 private:
  /// How the trials of a point are, into trials_; counts the point.
  void look_at(const ChosenPoint& point) {
    trials_.assign(point.trials, ChipState::open);
    ++state_.points.chosen;
    const Id128 id = context_.grid.id(point.index);
    if (!work_.has_point(id)) return;
    for (std::uint32_t trial = 0; trial < point.trials; ++trial) trials_[trial] = look_at(id, point.index, trial);
    const auto among = [&](ChipState state) { return std::count(trials_.begin(), trials_.end(), state); };
    if (among(ChipState::done) == point.trials) {
      ++state_.points.done;
    } else if (among(ChipState::open) == 0) {
      ++state_.points.failed;
    } else {
      ++state_.points.begun;
    }
  }

  ChipState look_at(const Id128& id, std::uint64_t index, std::uint32_t trial) {
    const std::span<const std::string> metrics = context_.sweep.metrics;
    if (work_.progress(id, trial, whole_, metrics).done) return ChipState::done;
    const TrialState found = work_.trial(id, trial, whole_, metrics);
    for (const FailedSpan& span : found.failed) {
      if (++state_.failures_found > most_failures) continue;
      const Unit unit{index, trial, span.images.first, static_cast<std::uint32_t>(span.images.count)};
      state_.failures.push_back({id, unit, span.attempts, span.reason, span.signal, last_lines(span.log), span.host});
    }
    return found.settled ? ChipState::failed : ChipState::open;
  }

  void count_chip(const Chip& chip) {
    const ChipState chip_state = trials_[chip.trial];
    count(state_.chips, chip_state);
    for (auto& [shards, counts] : state_.shards) count(counts[shard_of(chip.number, shards) - 1], chip_state);
  }

  const SweepContext& context_;
  const RecordedWork& work_;
  ImageSpan whole_;
  SweepState& state_;
  std::vector<ChipState> trials_;  ///< of the point that is looked at
};

/// Of the points that values are expected of; the others are not looked at.
ExpectedCounts count_expected(const SweepContext& context, const ChosenPoints& points, const RecordedWork& work) {
  const DatabaseRequest request = database_request(context, "");
  const ExpectedChecks checks(request.expected);
  std::vector<ChosenPoint> wanted;
  for (std::uint64_t n = 0; n < points.size() && !request.expected.empty(); ++n) {
    if (const ChosenPoint point = points[n]; checks.wants(point.index)) wanted.push_back(point);
  }
  return count_points(point_table({context.grid, std::move(wanted)}), work, request).expected;
}

}  // namespace

std::optional<ChipCounts> SweepState::chips_of(const Shard& shard) const {
  if (shard.whole()) return chips;
  const auto found = shards.find(shard.count);
  return found == shards.end() ? std::nullopt : std::optional(found->second.at(shard.number - 1));
}

SweepState sweep_state(const SweepContext& context, const JournalContent& journal) {
  SweepState state;
  state.name = context.sweep.name;
  state.grid_points = context.grid.size();
  state.images = context.image_count;
  state.owners = journal.owners;
  for (const auto& [name, owner] : journal.owners) {
    if (const auto shard = shard_from_name(name)) state.shards[shard->count].resize(shard->count);
  }
  for (const JournalLoss& loss : journal.losses) {
    if (loss.at_end || ++state.losses_found > most_losses) continue;  // at the end: being written at this moment
    state.losses.push_back(loss);
    state.losses.back().file = loss.file.substr(loss.file.rfind('/') + 1);
  }
  const RoundPlan plan = round_plan(context);
  const RoundPlan::Choice choice = plan.choose(journal.work);
  if (plan.in_rounds()) {
    const RoundPlan::Bound most = plan.bound();
    state.round = {choice.round, most.rounds, most.chips};
  }
  StateCounter(context, journal.work, state).count_all(choice.points);
  state.expected = count_expected(context, choice.points, journal.work);
  return state;
}

bool counted_at_once(std::uint64_t grid_points, std::uint64_t journal_bytes) {
  return grid_points <= few_points && journal_bytes <= few_journal_bytes;
}

}  // namespace crossgrid
