#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "crossgrid/base/json.hpp"
#include "crossgrid/sweep/parameter.hpp"
#include "crossgrid/sweep/place.hpp"

namespace crossgrid {

/// A parameter with a value, everywhere or in the layers whose names match a pattern.
struct Setting {
  const Parameter* parameter = nullptr;
  std::string pattern;  ///< empty: everywhere
  Json value;           ///< canonical
  Place place;

  /// "adc.bits" or "adc.bits@/conv1/*".
  std::string name() const { return pattern.empty() ? parameter->path : parameter->path + "@" + pattern; }
};

struct AxisValue {
  std::vector<Json> columns;  ///< one per column of the axis
  std::vector<Setting> settings;
};

/// One axis of the grid: a list or range of a parameter's values, linked parameters, named settings, or a sample.
struct Axis {
  std::string name;
  Place place;
  std::vector<std::string> columns;  ///< parameters' names, or the name of the settings
  std::vector<AxisValue> values;
  bool sampled = false;  ///< made by `sample`: each of its parameters is meant to have an effect
};

/// Reads one member of `grid`.
Axis parse_axis(const std::string& name, const Json& value, const Place& place);

/// The parameter that an axis `parameter` or `parameter@pattern` sets, without a value.
Setting axis_parameter(const std::string& name, const Place& place);

/// Reads an object of parameters, nested or dotted (rule R3); names may be "parameter@pattern".
std::vector<Setting> parse_settings(const Json& object, const Place& place);

/// The same for an entry of `layers`: no patterns, but parameters that are set per layer only.
std::vector<Setting> parse_layer_settings(const Json& object, const Place& place);

/// What lies `part` of the way between two values, rounded to 12 significant digits (rule R4).
double value_between(double from, double to, bool logarithmic, double part);

/// Values of a range, rounded to 12 significant digits (rule R4), both ends exact.
std::vector<double> range_values(double from, double to, std::int64_t count, bool logarithmic);

/// Whether a layer's name is matched by a pattern: equal, or by '*', '?' and '[...]' ('*' matches '/' too).
bool layer_matches(const std::string& pattern, const std::string& layer);

}  // namespace crossgrid
