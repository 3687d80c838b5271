#include "crossgrid/engine/recorded_work.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "crossgrid/base/error.hpp"

namespace crossgrid {

namespace {

constexpr auto before_trial = [](const auto& entry, std::uint32_t trial) { return entry.number < trial; };

bool inside(ImageSpan part, ImageSpan whole) {
  return part.first >= whole.first && part.end() <= whole.end();
}

/// Ascending and disjoint spans from any.
std::vector<ImageSpan> united(std::vector<ImageSpan> spans) {
  std::sort(spans.begin(), spans.end(), [](ImageSpan a, ImageSpan b) { return a.first < b.first; });
  std::vector<ImageSpan> result;
  for (const ImageSpan& span : spans) {
    if (!result.empty() && span.first <= result.back().end()) {
      result.back().count = std::max(result.back().end(), span.end()) - result.back().first;
    } else {
      result.push_back(span);
    }
  }
  return result;
}

/// What of `from` (ascending, disjoint) is not in `taken` (the same).
std::vector<ImageSpan> without(const std::vector<ImageSpan>& from, const std::vector<ImageSpan>& taken) {
  std::vector<ImageSpan> result;
  std::size_t next = 0;
  for (const ImageSpan& span : from) {
    std::uint64_t begin = span.first;
    while (next < taken.size() && taken[next].end() <= begin) ++next;
    for (std::size_t i = next; i < taken.size() && taken[i].first < span.end(); ++i) {
      if (taken[i].first > begin) result.push_back({begin, taken[i].first - begin});
      begin = std::max(begin, taken[i].end());
    }
    if (begin < span.end()) result.push_back({begin, span.end() - begin});
  }
  return result;
}

}  // namespace

std::uint32_t RecordedWork::NameTable::number(const std::string& name) {
  if (next >= names.size()) next = 0;
  if (next < names.size() && names[next] == name) return static_cast<std::uint32_t>(next++);
  const auto [found, added] = numbers.try_emplace(name, static_cast<std::uint32_t>(names.size()));
  if (added) names.push_back(name);
  next = found->second + 1;
  return found->second;
}

RecordedWork::Piece RecordedWork::piece_of(const UnitRecord& record) {
  const UnitResult& result = record.result;
  Piece piece;
  piece.images = {result.unit.first, result.unit.count};
  piece.status = result.status;
  piece.attempts = result.attempts;
  piece.host = hosts_.number(record.host);
  if (result.status == UnitStatus::failed) {
    piece.failure = std::make_shared<const Failure>(Failure{result.reason, result.log, result.signal});
    return piece;
  }
  piece.metrics.reserve(result.metrics.size());
  for (const auto& [name, metric] : result.metrics) piece.metrics.push_back({metric, metrics_.number(name)});
  return piece;
}

void RecordedWork::add(const UnitRecord& record) {
  ++records_;
  Piece piece = piece_of(record);
  const std::uint32_t trial = record.result.unit.trial;
  if (points_.insert(record.point)) trials_.emplace_back();
  Trials& trials = trials_[*points_.number(record.point, {static_cast<std::uint32_t>(points_.size()) - 1})];
  auto entry = std::lower_bound(trials.begin(), trials.end(), trial, before_trial);
  if (entry == trials.end() || entry->number != trial) entry = trials.insert(entry, Trial{trial, {}});
  Pieces& pieces = entry->pieces;
  const auto place = std::lower_bound(pieces.begin(), pieces.end(), piece, [](const Piece& a, const Piece& b) {
    return std::tuple(a.images.first, a.images.count) < std::tuple(b.images.first, b.images.count);
  });
  if (place != pieces.end() && place->images == piece.images) {
    merge(*place, std::move(piece), record);
  } else {
    pieces.insert(place, std::move(piece));
  }
}

/// Two records of the same unit. A result wins over a failure; of two failures one is chosen whatever their order.
void RecordedWork::merge(Piece& old, Piece&& incoming, const UnitRecord& record) {
  if (old.status != incoming.status) {
    if (incoming.status == UnitStatus::done) old = std::move(incoming);
    return;
  }
  if (old.status == UnitStatus::failed) {
    const auto rank = [&](const Piece& piece) {
      const Failure& failure = *piece.failure;
      return std::tie(piece.attempts, failure.reason, failure.log, failure.signal, hosts_.names[piece.host]);
    };
    if (rank(old) == rank(incoming)) ++duplicates_;
    if (rank(old) < rank(incoming)) old = std::move(incoming);
    return;
  }
  const std::size_t before = old.metrics.size();
  for (const Metric& metric : incoming.metrics) {
    const auto known = std::find_if(old.metrics.begin(), old.metrics.end(),
                                    [&](const Metric& entry) { return entry.number == metric.number; });
    if (known == old.metrics.end()) {
      old.metrics.push_back(metric);
    } else if (known->sum != metric.sum) {
      throw Error(
          ExitCode::bad_input,
          fmt::format("the journal has two results of one unit with unequal {}: point {}, trial {}, images {} to "
                      "{}; from host '{}': sum {}, from host '{}': sum {}: these hosts do not compute the same",
                      metrics_.names[metric.number], record.point.hex(), record.result.unit.trial, old.images.first,
                      old.images.end() - 1, hosts_.names[old.host], int128_to_text(known->sum.sum), record.host,
                      int128_to_text(metric.sum.sum)));
    }
  }
  if (old.metrics.size() == before) ++duplicates_;
}

/// A grid is recorded nearly in its own order and walked through in it: a table of millions of ids, which is in no
/// cache, is seldom looked into.
std::optional<std::uint32_t> RecordedWork::point_number(const Id128& point) const {
  thread_local std::uint32_t last = 0;  // of whichever records: it is a guess
  const auto number = points_.number(point, {last, last + 1});
  if (number) last = *number;
  return number;
}

const RecordedWork::Pieces& RecordedWork::pieces(const Id128& point, std::uint32_t trial) const {
  static const Pieces none;
  const auto number = point_number(point);
  if (!number) return none;
  const Trials& trials = trials_[*number];
  const auto found = std::lower_bound(trials.begin(), trials.end(), trial, before_trial);
  return found == trials.end() || found->number != trial ? none : found->pieces;
}

/// The one record that covers `whole` in all `metrics`, where there is no other.
const RecordedWork::Piece* RecordedWork::whole_trial(const Pieces& pieces, ImageSpan whole,
                                                     std::span<const std::string> metrics) const {
  if (pieces.size() != 1 || pieces.front().status != UnitStatus::done || pieces.front().images != whole) return nullptr;
  const Piece& piece = pieces.front();
  const bool all = std::all_of(metrics.begin(), metrics.end(), [&](const std::string& metric) {
    return std::any_of(piece.metrics.begin(), piece.metrics.end(),
                       [&](const Metric& entry) { return metrics_.names[entry.number] == metric; });
  });
  return all ? &piece : nullptr;
}

/// Disjoint pieces with `metric` that cover the most images of `whole`, ascending. Pieces overlap only where runs cut
/// their units differently; the choice is then a weighted interval scheduling (exact, n log n).
std::vector<const RecordedWork::Piece*> RecordedWork::cover(const Pieces& pieces, const std::string& metric,
                                                            ImageSpan whole) const {
  const auto number = metrics_.numbers.find(metric);
  if (number == metrics_.numbers.end()) return {};
  std::vector<const Piece*> usable;
  bool disjoint = true;
  for (const Piece& piece : pieces) {
    const bool has = piece.status == UnitStatus::done && inside(piece.images, whole) &&
                     std::any_of(piece.metrics.begin(), piece.metrics.end(),
                                 [&](const Metric& entry) { return entry.number == number->second; });
    if (!has) continue;
    disjoint = disjoint && (usable.empty() || usable.back()->images.end() <= piece.images.first);
    usable.push_back(&piece);
  }
  if (disjoint) return usable;

  std::sort(usable.begin(), usable.end(), [](const Piece* a, const Piece* b) {
    return std::tuple(a->images.end(), a->images.first) < std::tuple(b->images.end(), b->images.first);
  });
  // best[i]: most images by the first i pieces; before[i]: how many of them end before piece i - 1 begins.
  std::vector<std::uint64_t> best(usable.size() + 1, 0);
  std::vector<std::size_t> before(usable.size() + 1, 0);
  for (std::size_t i = 1; i <= usable.size(); ++i) {
    const ImageSpan images = usable[i - 1]->images;
    before[i] = static_cast<std::size_t>(
        std::upper_bound(usable.begin(), usable.end(), images.first,
                         [](std::uint64_t first, const Piece* piece) { return first < piece->images.end(); }) -
        usable.begin());
    best[i] = std::max(best[i - 1], images.count + best[before[i]]);
  }
  std::vector<const Piece*> chosen;
  for (std::size_t i = usable.size(); i > 0;) {
    if (best[i] == best[i - 1]) {
      --i;
    } else {
      chosen.push_back(usable[i - 1]);
      i = before[i];
    }
  }
  std::reverse(chosen.begin(), chosen.end());
  return chosen;
}

std::vector<ImageSpan> RecordedWork::uncovered(const Pieces& pieces, ImageSpan whole,
                                               std::span<const std::string> metrics) const {
  std::vector<ImageSpan> missing;
  for (const std::string& metric : metrics) {
    std::vector<ImageSpan> covered;
    for (const Piece* piece : cover(pieces, metric, whole)) covered.push_back(piece->images);
    for (const ImageSpan& gap : without({whole}, covered)) missing.push_back(gap);
  }
  return united(std::move(missing));
}

std::vector<ImageSpan> RecordedWork::missing(const Id128& point, std::uint32_t trial, ImageSpan whole,
                                             std::span<const std::string> metrics, bool retry_failed) const {
  const Pieces& recorded = pieces(point, trial);
  if (recorded.empty()) return {whole};
  if (whole_trial(recorded, whole, metrics)) return {};
  std::vector<ImageSpan> open = uncovered(recorded, whole, metrics);
  if (retry_failed || open.empty()) return open;
  std::vector<ImageSpan> failed;
  for (const Piece& piece : recorded) {
    if (piece.status == UnitStatus::failed) failed.push_back(piece.images);
  }
  return without(open, united(std::move(failed)));
}

TrialState RecordedWork::trial(const Id128& point, std::uint32_t trial, ImageSpan whole,
                               std::span<const std::string> metrics) const {
  TrialState state;
  const Pieces& recorded = pieces(point, trial);
  if (recorded.empty()) return state;
  const std::vector<ImageSpan> open = uncovered(recorded, whole, metrics);
  const std::vector<ImageSpan> covered = without({whole}, open);
  std::vector<ImageSpan> failed;
  for (const Piece& piece : recorded) {
    if (piece.status != UnitStatus::failed || !inside(piece.images, whole)) continue;
    for (const ImageSpan& images : without({piece.images}, covered)) {
      const Failure& failure = *piece.failure;
      state.failed.push_back(
          {images, piece.attempts, failure.reason, failure.signal, failure.log, hosts_.names[piece.host]});
      failed.push_back(images);
    }
  }
  state.settled = without(open, united(std::move(failed))).empty();
  state.done = open.empty();
  if (!state.done) return state;
  for (const std::string& metric : metrics) {
    const std::uint32_t number = metrics_.numbers.at(metric);
    MetricSum& sum = state.metrics[metric];
    for (const Piece* piece : cover(recorded, metric, whole)) {
      for (const Metric& entry : piece->metrics) {
        if (entry.number == number) sum += entry.sum;
      }
    }
  }
  return state;
}

TrialProgress RecordedWork::progress(const Id128& point, std::uint32_t trial, ImageSpan whole,
                                     std::span<const std::string> metrics) const {
  const auto wanted = [&](const Metric& entry) {
    return std::find(metrics.begin(), metrics.end(), metrics_.names[entry.number]) != metrics.end();
  };
  if (const Piece* piece = whole_trial(pieces(point, trial), whole, metrics)) {
    return {true, true, std::none_of(piece->metrics.begin(), piece->metrics.end(), [&](const Metric& entry) {
              return entry.sum.not_finite > 0 && wanted(entry);
            })};
  }
  const TrialState state = this->trial(point, trial, whole, metrics);
  return {state.done, state.settled, std::none_of(state.metrics.begin(), state.metrics.end(), [](const auto& metric) {
            return metric.second.not_finite > 0;
          })};
}

}  // namespace crossgrid
