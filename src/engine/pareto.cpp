#include "crossgrid/engine/pareto.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <span>

#include "crossgrid/base/error.hpp"

namespace crossgrid {

namespace {

/// A few rows that beat most others, so that these need not be sorted.
class Guards {
 public:
  /// Whether a guard beats the candidate; if none does, it becomes a guard in place of the one that beat nothing for
  /// the longest time.
  template <typename Beats>
  bool beat(std::size_t candidate, const Beats& beats) {
    const auto found =
        std::find_if(guards_.begin(), guards_.end(), [&](std::size_t guard) { return beats(guard, candidate); });
    if (found != guards_.end()) {
      std::rotate(guards_.begin(), found, found + 1);
      return true;
    }
    guards_.insert(guards_.begin(), candidate);
    if (guards_.size() > most) guards_.pop_back();
    return false;
  }

 private:
  static constexpr std::size_t most = 16;
  std::vector<std::size_t> guards_;  ///< the last ones that beat something first
};

}  // namespace

std::vector<Objective> parse_objectives(std::string_view text) {
  std::vector<Objective> objectives;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    std::string_view part = text.substr(begin, end - begin);
    part.remove_prefix(std::min(part.find_first_not_of(' '), part.size()));
    part.remove_suffix(part.size() - (part.find_last_not_of(' ') + 1));
    if ((!part.starts_with("max:") && !part.starts_with("min:")) || part.size() == 4) {
      throw Error(ExitCode::usage,
                  fmt::format("can't read '{}' in --pareto; write max:COLUMN or min:COLUMN, for example "
                              "'max:top1.mean,min:adc.bits'",
                              part));
    }
    objectives.push_back({std::string(part.substr(4)), part.starts_with("max:")});
    begin = end + 1;
  }
  return objectives;
}

std::vector<std::size_t> pareto_front(const DatabaseTable& table, const std::vector<Objective>& objectives) {
  const std::size_t width = objectives.size();
  std::vector<std::size_t> places;
  places.reserve(width);
  for (const Objective& objective : objectives) places.push_back(table.names.place(objective.column));

  std::vector<double> costs;  // `width` of each candidate, the smaller the better
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const bool measured = std::all_of(places.begin(), places.end(),
                                      [&](std::size_t place) { return table.columns[place][row].is_number(); });
    if (!measured) continue;
    rows.push_back(row);
    for (std::size_t k = 0; k < width; ++k) {
      const double value = table.columns[places[k]][row].number();
      costs.push_back(objectives[k].maximised ? -value : value);
    }
  }
  const auto costs_of = [&](std::size_t candidate) { return std::span(costs).subspan(candidate * width, width); };
  const auto beats = [&](std::size_t a, std::size_t b) {
    return !std::ranges::equal(costs_of(a), costs_of(b)) &&
           std::ranges::equal(costs_of(a), costs_of(b), std::less_equal<>());
  };

  std::vector<std::size_t> order;
  Guards guards;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!guards.beat(i, beats)) order.push_back(i);
  }
  // In this order a row can only be beaten by one before it, and then by one of the front; of two costs, by its last.
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::ranges::lexicographical_compare(costs_of(a), costs_of(b));
  });
  std::vector<std::size_t> front;
  for (const std::size_t candidate : order) {
    const auto first = width <= 2 && !front.empty() ? front.end() - 1 : front.begin();
    if (!std::any_of(first, front.end(), [&](std::size_t other) { return beats(other, candidate); })) {
      front.push_back(candidate);
    }
  }
  for (std::size_t& candidate : front) candidate = rows[candidate];
  std::sort(front.begin(), front.end());
  return front;
}

}  // namespace crossgrid
