#include "crossgrid/sweep/axis.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "crossgrid/sweep/problem_list.hpp"

namespace crossgrid {

namespace {

constexpr std::int64_t max_range_count = 1'000'000;

double to_12_digits(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific, 11).ptr;
  double rounded = 0;
  std::from_chars(text, end, rounded);
  return rounded == 0 ? 0.0 : rounded;
}

bool all_integers(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::trunc(v) == v; });
}

const Parameter& known_parameter(const std::string& path, const Place& place) {
  const Parameter* parameter = find_parameter(path);
  if (!parameter) {
    throw unknown_parameter(place, path);
  }
  return *parameter;
}

}  // namespace

Setting axis_parameter(const std::string& name, const Place& place) {
  const std::size_t at = name.find('@');
  const Parameter& parameter = known_parameter(name.substr(0, at), place);
  if (at == std::string::npos) {
    if (parameter.scope == ParameterScope::layers_only) {
      throw place.error(fmt::format("{0} is set per layer: in 'layers', or as '{0}@pattern'", name));
    }
    return {&parameter, "", {}, place};
  }
  const std::string pattern = name.substr(at + 1);
  if (pattern.empty()) {
    throw place.error(fmt::format("'{}' has no pattern after '@'", name));
  }
  if (parameter.scope == ParameterScope::whole_network) {
    throw place.error(fmt::format("{} is the same in all layers; leave '@{}' out", parameter.path, pattern));
  }
  return {&parameter, pattern, {}, place};
}

namespace {

/// A name in an entry of `layers`.
Setting layer_parameter(const std::string& name, const Place& place) {
  if (name.find('@') != std::string::npos) {
    throw place.error(fmt::format("'{}': the entry's \"match\" says which layers, leave '@' out", name));
  }
  const Parameter& parameter = known_parameter(name, place);
  if (parameter.scope == ParameterScope::whole_network) {
    throw place.error(fmt::format("{} is the same in all layers; set it in 'hardware'", name));
  }
  return {&parameter, "", {}, place};
}

using NameReader = Setting (*)(const std::string&, const Place&);

void refuse_twice(const std::vector<Setting>& settings) {
  std::set<std::string> seen;
  for (const Setting& setting : settings) {
    if (!seen.insert(setting.name()).second) {
      throw setting.place.error(
          fmt::format("'{}' is set twice in one object (nested and dotted names mean the same)", setting.name()));
    }
  }
}

void collect_settings(const Json& object, const std::string& prefix, const Place& place, NameReader read_name,
                      std::vector<Setting>& settings) {
  ProblemList problems;
  for (const auto& item : object.items()) {
    const std::string path = prefix.empty() ? item.key() : fmt::format("{}.{}", prefix, item.key());
    const Place here = place / item.key();
    problems.attempt([&] {
      if (is_parameter_section(path)) {
        if (!item.value().is_object()) {
          throw here.error(fmt::format("'{}' is a group of parameters: found {}, expected an object", path,
                                       found_text(item.value())));
        }
        collect_settings(item.value(), path, here, read_name, settings);
        return;
      }
      Setting setting = read_name(path, here);
      setting.value = parameter_value(*setting.parameter, item.value(), here);
      settings.push_back(std::move(setting));
    });
  }
  problems.throw_if_any();
}

std::vector<Setting> read_settings(const Json& object, const Place& place, NameReader read_name) {
  if (!object.is_object()) {
    throw place.error(fmt::format("found {}, expected an object of parameters", found_text(object)));
  }
  std::vector<Setting> settings;
  collect_settings(object, "", place, read_name, settings);
  refuse_twice(settings);
  return settings;
}

}  // namespace

std::vector<Setting> parse_settings(const Json& object, const Place& place) {
  return read_settings(object, place, axis_parameter);
}

std::vector<Setting> parse_layer_settings(const Json& object, const Place& place) {
  return read_settings(object, place, layer_parameter);
}

double value_between(double from, double to, bool logarithmic, double part) {
  return to_12_digits(logarithmic ? from * std::pow(to / from, part) : from + (to - from) * part);
}

namespace {

double range_value(double from, double to, std::int64_t count, bool logarithmic, std::int64_t i) {
  if (i == 0 || i == count - 1) {
    const double end = i == 0 ? from : to;
    return end == 0 ? 0.0 : end;
  }
  return value_between(from, to, logarithmic, static_cast<double>(i) / static_cast<double>(count - 1));
}

}  // namespace

std::vector<double> range_values(double from, double to, std::int64_t count, bool logarithmic) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) {
    values.push_back(range_value(from, to, count, logarithmic, i));
  }
  return values;
}

bool layer_matches(const std::string& pattern, const std::string& layer) {
  // The name itself first: it may hold brackets.
  return pattern == layer || fnmatch(pattern.c_str(), layer.c_str(), FNM_NOESCAPE) == 0;
}

namespace {

struct Range {
  double from = 0;
  double to = 0;
  std::int64_t count = 0;
  bool logarithmic = false;
};

Range read_range(const Json& object, const Place& place) {
  static const std::vector<std::string> known{"from", "to", "count", "scale"};
  for (const auto& [key, value] : object.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      const std::string nearest = nearest_name(key, known);
      throw(place / key)
          .error(fmt::format("unknown key of a range{} (known: from, to, count, scale)",
                             nearest.empty() ? "" : ": did you mean '" + nearest + "'?"));
    }
  }
  const auto number = [&](const char* key) {
    if (!object.contains(key)) {
      throw place.error(fmt::format("a range needs from, to and count; '{}' is missing", key));
    }
    if (!object.at(key).is_number()) {
      throw(place / key).error(fmt::format("found {}, expected a number", found_text(object.at(key))));
    }
    return object.at(key).get<double>();
  };
  Range range;
  range.from = number("from");
  range.to = number("to");
  const double count = number("count");
  if (std::trunc(count) != count || count < 2 || count > static_cast<double>(max_range_count)) {
    throw(place / "count")
        .error(fmt::format("found {}, expected an integer 2..{}", found_text(object.at("count")), max_range_count));
  }
  range.count = static_cast<std::int64_t>(count);
  const Json scale = object.value("scale", Json("linear"));
  if (scale != "linear" && scale != "log") {
    throw(place / "scale").error(fmt::format("found {}, expected \"linear\" or \"log\"", found_text(scale)));
  }
  range.logarithmic = scale == "log";
  if (range.from == range.to) {
    throw place.error("from and to are equal: a range of one value");
  }
  if (range.logarithmic && !(range.from > 0 && range.to > 0)) {
    throw place.error("a range of scale \"log\" needs from and to above 0");
  }
  return range;
}

/// The nearest counts that make a range of integers, fewer and more.
std::string counts_that_work(const Range& range) {
  constexpr std::int64_t tries = 4096;
  const auto works = [&](std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      const double value = range_value(range.from, range.to, count, range.logarithmic, i);
      if (std::trunc(value) != value) {
        return false;
      }
    }
    return true;
  };
  std::vector<std::string> counts;
  for (std::int64_t count = range.count - 1; count >= std::max<std::int64_t>(2, range.count - tries); --count) {
    if (works(count)) {
      counts.push_back(std::to_string(count));
      break;
    }
  }
  // No integer range has more values than there are integers between its ends.
  const double most = std::min(std::abs(range.to - range.from) + 1, static_cast<double>(range.count + tries));
  for (std::int64_t count = range.count + 1; static_cast<double>(count) <= most; ++count) {
    if (works(count)) {
      counts.push_back(std::to_string(count));
      break;
    }
  }
  return counts.empty() ? "; give a list"
                        : fmt::format("; the nearest counts that give integers: {}", fmt::join(counts, ", "));
}

Json range_list(const Parameter& parameter, const Json& object, const Place& place) {
  const Range range = read_range(object, place);
  if (!parameter.type.integer && !parameter.type.number) {
    throw place.error(fmt::format("{} takes no numbers, so no range: expected a list of {}", parameter.path,
                                  describe(parameter.type)));
  }
  const std::vector<double> values = range_values(range.from, range.to, range.count, range.logarithmic);
  if (parameter.type.integer && !all_integers(values)) {
    const bool ends = all_integers({range.from, range.to});
    throw place.error(fmt::format(
        "{} takes integers, but this range gives {}{}", parameter.path,
        shortest_number(*std::find_if(values.begin(), values.end(), [](double v) { return std::trunc(v) != v; })),
        ends ? counts_that_work(range) : "; its ends must be integers"));
  }
  Json list = Json::array();
  for (const double value : values) {
    list.push_back(column_value(value));
  }
  return list;
}

void refuse_sampled(const Json& value, const Place& place) {
  for (const char* key : {"sample", "samples", "distribution"}) {
    if (value.is_object() && value.contains(key)) {
      throw place.error("an axis is a list or a range; drawn values belong in 'sample' beside 'grid'");
    }
  }
}

/// What a column shows of a value, which was given as `raw`: of a file, its name.
Json column_of(const Setting& setting, const Json& raw) {
  return names_file(*setting.parameter, raw) ? result_column(*setting.parameter, raw) : column_value(setting.value);
}

/// A list or range of one parameter's values.
Axis parameter_axis(const std::string& name, const Json& value, const Place& place) {
  const Setting model = axis_parameter(name, place);
  refuse_sampled(value, place);
  if (value.is_object() && !value.contains("from")) {
    throw place.error(
        fmt::format("'{}' is a parameter: expected a list of values, or a range {{\"from\", \"to\", \"count\"}}; "
                    "named settings need a name that is no parameter",
                    name));
  }
  if (!value.is_object() && !value.is_array()) {
    throw place.error(fmt::format("found {}, expected a list of values or a range {{\"from\", \"to\", \"count\"}}",
                                  found_text(value)));
  }
  Axis axis{name, place, {name}, {}};
  const bool range = value.is_object();
  const Json list = range ? range_list(*model.parameter, value, place) : value;
  ProblemList problems;
  for (std::size_t i = 0; i < list.size(); ++i) {
    problems.attempt([&] {
      Setting setting = model;
      setting.place = range ? place : place / i;
      setting.value = parameter_value(*model.parameter, list[i], setting.place);
      axis.values.push_back({{column_of(setting, list[i])}, {setting}});
    });
  }
  problems.throw_if_any();
  return axis;
}

std::vector<std::string> linked_names(const std::string& name) {
  std::vector<std::string> names;
  std::size_t first = 0;
  while (first <= name.size()) {
    const std::size_t comma = std::min(name.find(',', first), name.size());
    std::string part = name.substr(first, comma - first);
    part.erase(0, part.find_first_not_of(' '));
    part.erase(part.find_last_not_of(' ') + 1);
    names.push_back(part);
    first = comma + 1;
  }
  return names;
}

/// One tuple of a linked axis.
AxisValue linked_value(const Json& value, const std::vector<Setting>& models, const std::vector<std::string>& columns,
                       const Place& place) {
  if (!value.is_array() || value.size() != models.size()) {
    throw place.error(fmt::format("found {}, expected a list of {} values: {}", found_text(value), models.size(),
                                  fmt::join(columns, ", ")));
  }
  AxisValue tuple;
  ProblemList problems;
  for (std::size_t k = 0; k < models.size(); ++k) {
    problems.attempt([&] {
      Setting setting = models[k];
      setting.place = place / k;
      setting.value = parameter_value(*setting.parameter, value[k], setting.place);
      tuple.columns.push_back(column_of(setting, value[k]));
      tuple.settings.push_back(std::move(setting));
    });
  }
  problems.throw_if_any();
  return tuple;
}

/// "a, b": [[1, 2], [3, 4]].
Axis linked_axis(const std::string& name, const Json& value, const Place& place) {
  Axis axis{name, place, linked_names(name), {}};
  std::vector<Setting> models;
  for (const std::string& part : axis.columns) {
    models.push_back(axis_parameter(part, place));
  }
  refuse_twice(models);
  refuse_sampled(value, place);
  if (!value.is_array()) {
    throw place.error(fmt::format("found {}, expected a list of lists of {} values", found_text(value), models.size()));
  }
  ProblemList problems;
  for (std::size_t i = 0; i < value.size(); ++i) {
    problems.attempt([&] { axis.values.push_back(linked_value(value[i], models, axis.columns, place / i)); });
  }
  problems.throw_if_any();
  return axis;
}

/// "mapping": {"balanced": {...}, "offset": {...}}.
Axis named_settings(const std::string& name, const Json& value, const Place& place) {
  static const std::set<std::string> reserved{"point", "index", "status", "images", "deterministic", "trials", "seed"};
  if (reserved.count(name) > 0) {
    throw place.error(fmt::format("'{}' is a column of the results: give these settings another name", name));
  }
  Axis axis{name, place, {name}, {}};
  ProblemList problems;
  for (const auto& item : value.items()) {
    const Place here = place / item.key();
    problems.attempt([&] {
      AxisValue settings{{Json(item.key())}, parse_settings(item.value(), here)};
      if (settings.settings.empty()) {
        throw here.error("sets nothing");
      }
      axis.values.push_back(std::move(settings));
    });
  }
  problems.throw_if_any();
  return axis;
}

bool is_named_settings(const std::string& name, const Json& value) {
  const bool plain_name = name.find_first_of(".@,") == std::string::npos && !name.empty();
  const bool objects = value.is_object() && !value.empty() && !value.contains("from") &&
                       std::all_of(value.begin(), value.end(), [](const Json& member) { return member.is_object(); });
  return plain_name && objects && !find_parameter(name) && !is_parameter_section(name);
}

/// Identity of an axis value, to find one that is there twice.
std::string value_key(const AxisValue& value) {
  std::string key;
  for (const Json& column : value.columns) {
    key += canonical_text(column) + ", ";
  }
  return key.substr(0, key.size() - 2);
}

}  // namespace

Axis parse_axis(const std::string& name, const Json& value, const Place& place) {
  Axis axis = name.find(',') != std::string::npos ? linked_axis(name, value, place)
              : is_named_settings(name, value)    ? named_settings(name, value, place)
                                                  : parameter_axis(name, value, place);
  if (axis.values.empty()) {
    throw place.error("an axis without values: the grid would be empty");
  }
  std::set<std::string> seen;
  for (const AxisValue& item : axis.values) {
    if (!seen.insert(value_key(item)).second) {
      throw place.error(fmt::format("value {} is there twice", value_key(item)));
    }
  }
  return axis;
}

}  // namespace crossgrid
