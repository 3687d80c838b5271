#include "crossgrid/engine/expected_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace crossgrid {

std::string ExpectedCounts::text() const {
  return fmt::format("{} met, {} missed, {} without all results", met, missed, open);
}

ExpectedChecks::ExpectedChecks(const std::vector<ExpectedRequest>& requests) {
  for (const ExpectedRequest& request : requests) checks_.push_back({&request, 0, 0, 0, {}});
}

bool ExpectedChecks::wants(std::uint64_t index) const {
  return std::any_of(checks_.begin(), checks_.end(), [&](const Check& check) {
    return std::binary_search(check.request->points.begin(), check.request->points.end(), index);
  });
}

/// The tolerance is itself within: 0.91 is within 0.01 of 0.9, whatever the last bits of the difference say.
bool ExpectedChecks::Check::missed() const {
  const double rounding = 1e-12 * std::max(std::abs(request->value), request->tolerance);
  return distance > request->tolerance + rounding;
}

void ExpectedChecks::take(Check& check, std::uint64_t index, const std::vector<std::pair<std::string, Json>>& axes,
                          double value) {
  ++check.next;
  if (std::isnan(value)) return;
  ++check.measured;
  const double distance = std::abs(value - check.request->value);
  if (!check.worst.is_null() && distance <= check.distance) return;
  check.distance = distance;
  Json place = Json::object();
  for (const auto& [name, axis_value] : axes) place[name] = axis_value;
  check.worst = Json{{"value", value}, {"index", index}, {"axes", place}};
}

ExpectedCounts ExpectedChecks::counts() const {
  ExpectedCounts counts;
  for (const Check& check : checks_) ++(check.missed() ? counts.missed : check.met() ? counts.met : counts.open);
  return counts;
}

Json ExpectedChecks::json() const {
  Json list = Json::array();
  for (const Check& check : checks_) {
    Json entry = check.request->entry;
    entry["points"] = check.request->points.size();
    entry["measured"] = check.measured;
    entry["holds"] = check.missed() ? Json(false) : check.met() ? Json(true) : Json();
    entry["farthest"] = check.worst;
    list.push_back(std::move(entry));
  }
  return list;
}

}  // namespace crossgrid
