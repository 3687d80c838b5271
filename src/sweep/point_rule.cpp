#include "crossgrid/sweep/point_rule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace crossgrid {

namespace {

bool compare(const std::string& how, double value, double bound) {
  return how == "at_least"  ? value >= bound
         : how == "at_most" ? value <= bound
         : how == "above"   ? value > bound
                            : value < bound;
}

/// {"at_least": 512, "below": 1024}: all bounds hold. Words lie beyond no bound.
std::function<bool(const Json&)> bounds_predicate(const Json& bounds, const Place& place) {
  static const std::vector<std::string> known{"at_least", "at_most", "above", "below"};
  if (bounds.empty()) {
    throw place.error("found {}, expected at_least, at_most, above or below with a number");
  }
  for (const auto& [key, bound] : bounds.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      const std::string nearest = nearest_name(key, known);
      throw(place / key)
          .error(fmt::format("unknown comparison{} (known: {})",
                             nearest.empty() ? "" : ": did you mean '" + nearest + "'?", fmt::join(known, ", ")));
    }
    if (!bound.is_number()) {
      throw(place / key).error(fmt::format("found {}, expected a number", found_text(bound)));
    }
  }
  return [bounds](const Json& value) {
    return value.is_number() && std::all_of(bounds.items().begin(), bounds.items().end(), [&](const auto& item) {
             return compare(item.key(), value.get<double>(), item.value().template get<double>());
           });
  };
}

std::function<bool(const Json&)> predicate(const Json& condition, const Place& place) {
  if (condition.is_object() && !condition.contains("limit")) {
    return bounds_predicate(condition, place);
  }
  const auto equal = [](const Json& value, const Json& wanted) {
    return canonical_text(value) == canonical_text(column_value(wanted));
  };
  return [condition, equal](const Json& value) {
    const bool any = condition.is_array() && std::any_of(condition.begin(), condition.end(),
                                                         [&](const Json& wanted) { return equal(value, wanted); });
    return any || equal(value, condition);
  };
}

/// A condition on files compares names, as columns do.
Json shown_condition(const std::string& name, const Json& condition) {
  const Parameter* parameter = find_parameter(name.substr(0, name.find('@')));
  if (!parameter || !(parameter->load || parameter->read_file)) {
    return condition;
  }
  if (!condition.is_array()) {
    return result_column(*parameter, condition);
  }
  Json shown = Json::array();
  for (const Json& item : condition) {
    shown.push_back(result_column(*parameter, item));
  }
  return shown;
}

}  // namespace

bool PointRule::matches(const std::vector<std::uint32_t>& digits) const {
  return std::all_of(conditions.begin(), conditions.end(),
                     [&](const Condition& condition) { return condition.holds[digits[condition.axis]]; });
}

bool PointRule::possible() const {
  return std::all_of(conditions.begin(), conditions.end(), [](const Condition& condition) {
    return std::find(condition.holds.begin(), condition.holds.end(), true) != condition.holds.end();
  });
}

PointRule parse_point_rule(const Json& rule, const std::vector<Axis>& axes, const Place& place) {
  if (!rule.is_object() || rule.empty()) {
    throw place.error(
        fmt::format("found {}, expected an object: axis -> value, list of values or bounds", found_text(rule)));
  }
  std::vector<std::string> names;
  for (const Axis& axis : axes) {
    names.insert(names.end(), axis.columns.begin(), axis.columns.end());
  }
  PointRule parsed;
  parsed.place = place;
  for (const auto& [name, condition] : rule.items()) {
    const std::string& key = name;  // a lambda can't hold a structured binding
    const auto axis = std::find_if(axes.begin(), axes.end(), [&](const Axis& candidate) {
      return std::find(candidate.columns.begin(), candidate.columns.end(), key) != candidate.columns.end();
    });
    if (axis == axes.end()) {
      const std::string nearest = nearest_name(key, names);
      throw(place / key)
          .error(fmt::format("not an axis of the grid{} (axes: {})",
                             nearest.empty() ? "" : "\n  did you mean '" + nearest + "'?", fmt::join(names, ", ")));
    }
    const auto column =
        static_cast<std::size_t>(std::find(axis->columns.begin(), axis->columns.end(), key) - axis->columns.begin());
    const auto holds = predicate(shown_condition(key, condition), place / key);
    const auto index = static_cast<std::size_t>(axis - axes.begin());
    auto found = std::find_if(parsed.conditions.begin(), parsed.conditions.end(),
                              [&](const PointRule::Condition& other) { return other.axis == index; });
    if (found == parsed.conditions.end()) {
      parsed.conditions.push_back({index, std::vector<bool>(axis->values.size(), true)});
      found = parsed.conditions.end() - 1;
    }
    for (std::size_t i = 0; i < axis->values.size(); ++i) {
      found->holds[i] = found->holds[i] && holds(axis->values[i].columns[column]);
    }
  }
  return parsed;
}

}  // namespace crossgrid
