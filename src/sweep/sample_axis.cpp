#include "sample_axis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "crossgrid/sweep/problem_list.hpp"
#include "crossgrid/sweep/unit_cube.hpp"

namespace crossgrid {

const std::vector<std::string>& sample_methods() {
  static const std::vector<std::string> words{"sobol", "latin_hypercube"};
  return words;
}

namespace {

/// A parameter that is drawn, with what it is drawn from.
struct Dimension {
  Setting setting;  ///< without value
  double from = 0;
  double to = 0;
  bool logarithmic = false;
  bool integer = false;
};

void check_names(const Json& range, const Place& place) {
  static const std::vector<std::string> known{"from", "to", "scale"};
  if (!range.is_object()) {
    throw place.error(fmt::format("found {}, expected {{\"from\": x, \"to\": y}}", found_text(range)));
  }
  for (const auto& item : range.items()) {
    if (std::find(known.begin(), known.end(), item.key()) != known.end()) continue;
    const std::string nearest = nearest_name(item.key(), known);
    throw(place / item.key())
        .error(fmt::format("unknown key of a sampled range{} (known: {})",
                           nearest.empty() ? "" : ": did you mean '" + nearest + "'?", fmt::join(known, ", ")));
  }
}

/// An end of the range, which the parameter itself must take.
double end_of(const Json& range, const char* key, const Parameter& parameter, const Place& place) {
  if (!range.contains(key)) throw place.error(fmt::format("'{}' is missing", key));
  const Json& found = range.at(key);
  if (!found.is_number()) throw(place / key).error(fmt::format("found {}, expected a number", found_text(found)));
  return parameter_value(parameter, found, place / key).get<double>();
}

Dimension read_dimension(const std::string& name, const Json& range, const Place& place) {
  Dimension dimension{axis_parameter(name, place)};
  const Parameter& parameter = *dimension.setting.parameter;
  if (!parameter.supported.integer && !parameter.supported.number) {
    throw place.error(fmt::format("{} takes no numbers, so it can't be sampled: make it an axis of 'grid'", name));
  }
  check_names(range, place);
  dimension.integer = parameter.supported.integer.has_value();
  dimension.from = end_of(range, "from", parameter, place);
  dimension.to = end_of(range, "to", parameter, place);
  if (!(dimension.from < dimension.to)) {
    throw place.error(fmt::format("from {} to {}: expected 'from' below 'to'", shortest_number(dimension.from),
                                  shortest_number(dimension.to)));
  }
  const Json scale = range.value("scale", Json("linear"));
  if (scale != "linear" && scale != "log") {
    throw(place / "scale").error(fmt::format("found {}, expected \"linear\" or \"log\"", found_text(scale)));
  }
  dimension.logarithmic = scale == "log";
  if (dimension.logarithmic && !(dimension.from > 0)) {
    throw(place / "from").error(fmt::format("found {}; scale \"log\" needs it above 0", found_text(range.at("from"))));
  }
  return dimension;
}

/// The value at a coordinate in [0, 1). Each integer has the share of the range that is nearest to it, half a step
/// beyond the ends included: on a linear scale all have the same.
Json value_at(const Dimension& dimension, double coordinate) {
  if (!dimension.integer) {
    return column_value(value_between(dimension.from, dimension.to, dimension.logarithmic, coordinate));
  }
  const double value = value_between(dimension.from - 0.5, dimension.to + 0.5, dimension.logarithmic, coordinate);
  return static_cast<std::int64_t>(std::clamp(std::floor(value + 0.5), dimension.from, dimension.to));
}

AxisValue axis_value(const std::vector<Dimension>& dimensions, const UnitPoint& point) {
  AxisValue value;
  for (std::size_t d = 0; d < dimensions.size(); ++d) {
    const Json drawn = value_at(dimensions[d], point[d]);
    Setting setting = dimensions[d].setting;
    setting.value = parameter_value(*setting.parameter, drawn, setting.place);
    value.columns.push_back(drawn);
    value.settings.push_back(std::move(setting));
  }
  return value;
}

}  // namespace

Axis sample_axis(const SampleSpec& spec, const Json& parameters, const Place& place) {
  if (!parameters.is_object() || parameters.empty()) {
    throw place.error(
        fmt::format("found {}, expected an object: parameter -> {{\"from\": x, \"to\": y}}", found_text(parameters)));
  }
  Axis axis{"sample", place, {}, {}, true};
  std::vector<Dimension> dimensions;
  ProblemList problems;
  for (const auto& item : parameters.items()) {
    problems.attempt([&] {
      dimensions.push_back(read_dimension(item.key(), item.value(), place / item.key()));
      axis.columns.push_back(item.key());
    });
  }
  problems.throw_if_any();
  const std::vector<UnitPoint> points = spec.method == "sobol"
                                            ? sobol_points(spec.points, dimensions.size(), spec.seed)
                                            : latin_hypercube(spec.points, dimensions.size(), spec.seed.value_or(0));
  std::set<std::vector<double>> seen;
  for (const UnitPoint& point : points) {
    AxisValue value = axis_value(dimensions, point);
    std::vector<double> drawn;
    for (const Json& column : value.columns) drawn.push_back(column.get<double>());
    if (seen.insert(std::move(drawn)).second) axis.values.push_back(std::move(value));
  }
  return axis;
}

}  // namespace crossgrid
