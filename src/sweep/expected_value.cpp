#include "crossgrid/sweep/expected_value.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace crossgrid {

namespace {

const Json& member(const Json& entry, const char* name, const Place& place) {
  if (!entry.contains(name)) throw place.error(fmt::format("'{}' is missing", name));
  return entry.at(name);
}

double number(const Json& entry, const char* name, bool negative, const Place& place) {
  const Json& found = member(entry, name, place);
  if (!found.is_number() || (!negative && found.get<double>() < 0)) {
    throw(place / name).error(fmt::format("found {}, expected a number{}", found_text(found), negative ? "" : " >= 0"));
  }
  return found.get<double>();
}

std::string text(const Json& entry, const char* name, const Place& place) {
  const Json& found = member(entry, name, place);
  if (!found.is_string() || found.get_ref<const std::string&>().empty()) {
    throw(place / name).error(fmt::format("found {}, expected text", found_text(found)));
  }
  return found.get<std::string>();
}

void check_names(const Json& entry, const Place& place) {
  static const std::vector<std::string> known{"where", "metric", "value", "tolerance", "source"};
  if (!entry.is_object()) {
    throw place.error(fmt::format("found {}, expected an object with {}", found_text(entry), fmt::join(known, ", ")));
  }
  for (const auto& item : entry.items()) {
    if (std::find(known.begin(), known.end(), item.key()) != known.end()) continue;
    const std::string nearest = nearest_name(item.key(), known);
    throw(place / item.key())
        .error(fmt::format("unknown member of an expected value{} (known: {})",
                           nearest.empty() ? "" : ": did you mean '" + nearest + "'?", fmt::join(known, ", ")));
  }
}

std::string column(const Json& entry, const std::vector<std::string>& metrics, const Place& place) {
  const std::string name = text(entry, "metric", place);
  const std::vector<std::string> known = expected_columns(metrics);
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    const std::string nearest = nearest_name(name, known);
    throw(place / "metric")
        .error(fmt::format("'{}' is no result of this sweep{}; known: {}", name,
                           nearest.empty() ? "" : ": did you mean '" + nearest + "'?", fmt::join(known, ", ")));
  }
  return name;
}

}  // namespace

std::vector<std::string> expected_columns(const std::vector<std::string>& metrics) {
  std::vector<std::string> columns;
  for (const std::string& metric : metrics) {
    for (const char* part : {".mean", ".std", ".ci95.low", ".ci95.high"}) columns.push_back(metric + part);
  }
  return columns;
}

ExpectedValue parse_expected_value(const Json& entry, const std::vector<Axis>& axes,
                                   const std::vector<std::string>& metrics, const Place& place) {
  check_names(entry, place);
  ExpectedValue expected;
  expected.entry = entry;
  const Json& where = member(entry, "where", place);
  expected.where.place = place / "where";
  if (where != Json::object()) expected.where = parse_point_rule(where, axes, place / "where");
  expected.column = column(entry, metrics, place);
  expected.value = number(entry, "value", true, place);
  expected.tolerance = number(entry, "tolerance", false, place);
  expected.source = text(entry, "source", place);
  return expected;
}

}  // namespace crossgrid
