#include "crossgrid/sweep/device_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "crossgrid/sweep/place.hpp"
#include "crossgrid/sweep/value_type.hpp"

// Device files, docs/device-file.md.
namespace crossgrid {

namespace {

/// A value of the file and where it stands.
struct Node {
  const Json& value;
  Place place;

  Error mismatch(const std::string& expected) const {
    return place.error(fmt::format("found {}, expected {}", found_text(value), expected));
  }
  bool has(const char* key) const { return value.contains(key); }
  Node at(const char* key) const {
    const auto found = value.find(key);
    if (found == value.end()) {
      throw place.error(fmt::format("'{}' is missing", key));
    }
    return {*found, place / key};
  }
  Node at(std::size_t index) const { return {value[index], place / index}; }

  /// Checks that this is an object with no other keys than these.
  void expect_keys(const std::vector<std::string>& known) const {
    if (!value.is_object()) {
      throw mismatch("an object");
    }
    for (const auto& [key, member] : value.items()) {
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        const std::string nearest = nearest_name(key, known);
        throw(place / key)
            .error(fmt::format("unknown key{}(known: {})",
                               nearest.empty() ? " " : "\n  did you mean '" + nearest + "'? ", fmt::join(known, ", ")));
      }
    }
  }
  std::string text() const {
    if (!value.is_string() || value.get_ref<const std::string&>().empty()) {
      throw mismatch("text");
    }
    return value.get<std::string>();
  }
  double number() const {
    if (!value.is_number()) {
      throw mismatch("a number");
    }
    return value.get<double>();
  }
  double above_zero() const {
    if (!value.is_number() || !(value.get<double>() > 0)) {
      throw mismatch("a number > 0");
    }
    return value.get<double>();
  }
  double at_least_zero() const {
    if (!value.is_number() || value.get<double>() < 0) {
      throw mismatch("a number >= 0");
    }
    return value.get<double>();
  }
  std::vector<double> numbers(std::size_t fewest) const {
    const bool good = value.is_array() && value.size() >= fewest &&
                      std::all_of(value.begin(), value.end(), [](const Json& item) { return item.is_number(); });
    if (!good) {
      throw mismatch(fmt::format("a list of {} or more numbers", fewest));
    }
    return value.get<std::vector<double>>();
  }
  std::vector<double> ascending(std::size_t fewest) const {
    std::vector<double> list = numbers(fewest);
    const auto falls = std::adjacent_find(list.begin(), list.end(), std::greater_equal<>());
    if (falls != list.end()) {
      throw place.error(fmt::format("not ascending: {} is followed by {}", *falls, *(falls + 1)));
    }
    return list;
  }
};

using Units = std::vector<std::pair<std::string, double>>;

const Units& siemens_units() {
  static const Units units{{"S", 1}, {"mS", 1e-3}, {"uS", 1e-6}, {"nS", 1e-9}, {"pS", 1e-12}};
  return units;
}
const Units& ampere_units() {
  static const Units units{{"A", 1}, {"mA", 1e-3}, {"uA", 1e-6}, {"nA", 1e-9}, {"pA", 1e-12}};
  return units;
}
const Units& volt_units() {
  static const Units units{{"V", 1}, {"mV", 1e-3}};
  return units;
}
const Units& time_units() {
  static const Units units{{"s", 1}, {"min", 60}, {"h", 3600}, {"day", 86400}};
  return units;
}

std::string names_of(const Units& units) {
  std::vector<std::string> names;
  for (const auto& [name, size] : units) {
    names.push_back('"' + name + '"');
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

std::optional<double> unit_size(const Units& units, const std::string& name) {
  const auto found = std::find_if(units.begin(), units.end(), [&](const auto& unit) { return unit.first == name; });
  return found == units.end() ? std::nullopt : std::optional(found->second);
}

double unit_of(const Node& node, const Units& units) {
  const auto size = node.value.is_string() ? unit_size(units, node.text()) : std::nullopt;
  if (!size) {
    throw node.mismatch("a unit: " + names_of(units));
  }
  return *size;
}

/// "uS", "25 uS", "nA", "Gmax": a quantity and what 1 of it is in SI units.
std::pair<Curve::Quantity, double> quantity_of(const Node& node, std::string text) {
  double factor = 1;
  if (const std::size_t blank = text.find(' '); blank != std::string::npos) {
    const std::string number = text.substr(0, blank);
    char* end = nullptr;
    factor = std::strtod(number.c_str(), &end);
    if (*end != '\0' || !(factor > 0) || !std::isfinite(factor)) {
      throw node.mismatch("a unit, with a number before it or without, as in \"uS\" and \"25 uS\"");
    }
    text.erase(0, blank + 1);
  }
  if (const auto size = unit_size(siemens_units(), text)) {
    return {Curve::Quantity::conductance, factor * *size};
  }
  if (const auto size = unit_size(ampere_units(), text)) {
    return {Curve::Quantity::current, factor * *size};
  }
  if (text == "Gmax") {
    return {Curve::Quantity::number, factor};
  }
  throw node.mismatch(fmt::format("a unit: {}, {} or \"Gmax\"", names_of(siemens_units()), names_of(ampere_units())));
}

/// What a curve's value is.
enum class ValueKind { spread, number, coefficient };

void read_value_unit(const Node& node, ValueKind kind, int power, Curve& curve) {
  curve.value = Curve::Quantity::number;
  if (kind == ValueKind::spread) {
    const Node unit = node.at("value");
    std::tie(curve.value, curve.value_unit) = quantity_of(unit, unit.text());
    if (curve.value == Curve::Quantity::number) {
      curve.value_unit = 1;
    }
  } else if (kind == ValueKind::coefficient) {
    const Node unit = node.at("value");
    const std::string text = unit.text(), per = fmt::format("/V{}", power);
    const auto size =
        text.ends_with(per) ? unit_size(ampere_units(), text.substr(0, text.size() - per.size())) : std::nullopt;
    if (!size) {
      throw unit.mismatch(fmt::format("a unit of a coefficient of V^{0}: \"A/V{0}\", \"uA/V{0}\", ...", power));
    }
    curve.value_unit = *size;
  } else if (node.has("value")) {
    throw node.at("value").place.error("a pure number has no unit: leave 'value' out");
  }
}

struct LawFormat {
  CurveLaw law;
  std::vector<std::string> keys;
};

const std::vector<std::pair<std::string, LawFormat>>& law_formats() {
  static const std::vector<std::pair<std::string, LawFormat>> formats{
      {"polynomial", {CurveLaw::polynomial, {"coefficients"}}},
      {"table", {CurveLaw::table, {"x", "y"}}},
      {"levels", {CurveLaw::levels, {"levels", "sigma"}}},
      {"saturating_exponential", {CurveLaw::saturating_exponential, {"a", "b"}}},
      {"logarithmic", {CurveLaw::logarithmic, {"a", "b"}}},
      {"power", {CurveLaw::power, {"a", "b"}}}};
  return formats;
}

const LawFormat& law_format(const Node& node) {
  if (!node.value.is_object()) {
    throw node.mismatch("an object with \"law\"");
  }
  const Node law = node.at("law");
  std::vector<std::string> names;
  for (const auto& [name, format] : law_formats()) {
    if (law.value == name) {
      return format;
    }
    names.push_back(name);
  }
  throw law.mismatch(fmt::format("a law: {}", fmt::join(names, ", ")));
}

void read_points(const Node& node, const char* x, const char* y, std::size_t fewest, Curve& curve) {
  curve.points = node.at(x).ascending(fewest);
  curve.parameters = node.at(y).numbers(fewest);
  if (curve.points.size() != curve.parameters.size()) {
    throw node.at(y).place.error(fmt::format("found {} numbers, expected {}, one per number of '{}'",
                                             curve.parameters.size(), curve.points.size(), x));
  }
}

void read_parameters(const Node& node, Curve& curve) {
  switch (curve.law) {
    case CurveLaw::polynomial:
      curve.parameters = node.at("coefficients").numbers(1);
      break;
    case CurveLaw::table:
      read_points(node, "x", "y", 2, curve);
      break;
    case CurveLaw::levels:
      read_points(node, "levels", "sigma", 1, curve);
      break;
    case CurveLaw::saturating_exponential:
      curve.parameters = {node.at("a").number(), node.at("b").above_zero()};
      break;
    case CurveLaw::logarithmic:
    case CurveLaw::power:
      curve.parameters = {node.at("a").number(), node.at("b").number()};
      break;
  }
}

Curve read_curve(const Node& node, ValueKind kind, int power = 0) {
  const LawFormat& format = law_format(node);
  std::vector<std::string> known{"law", "argument", "value", "min", "max"};
  known.insert(known.end(), format.keys.begin(), format.keys.end());
  node.expect_keys(known);
  Curve curve;
  curve.law = format.law;
  const Node argument = node.at("argument");
  std::string unit = argument.text();
  if (curve.argument_log10 = unit.starts_with("log10 "); curve.argument_log10) {
    unit.erase(0, 6);
  }
  std::tie(curve.argument, curve.argument_unit) = quantity_of(argument, unit);
  read_value_unit(node, kind, power, curve);
  read_parameters(node, curve);
  if (node.has("min")) {
    curve.low = node.at("min").number();
  }
  if (node.has("max")) {
    curve.high = node.at("max").number();
    if (curve.high < curve.low) {
      throw node.at("max").place.error(fmt::format("found {}, expected at least 'min', {}", curve.high, curve.low));
    }
  }
  return curve;
}

void read_limits(const Node& node, const Units& units, bool low, std::optional<double>* least,
                 std::optional<double>& most) {
  node.expect_keys(low ? std::vector<std::string>{"unit", "min", "max"} : std::vector<std::string>{"unit", "max"});
  const double unit = unit_of(node.at("unit"), units);
  if (node.has("max")) {
    most = node.at("max").above_zero() * unit;
  }
  if (low && node.has("min")) {
    *least = node.at("min").at_least_zero() * unit;
    if (most && *most < **least) {
      throw node.at("max").place.error("lies below 'min'");
    }
  }
}

DeviceValidity read_validity(const Node& owner) {
  DeviceValidity valid;
  if (!owner.has("valid")) {
    return valid;
  }
  const Node node = owner.at("valid");
  node.expect_keys({"conductance", "current", "voltage", "time", "on_off_ratio"});
  if (node.has("conductance")) {
    read_limits(node.at("conductance"), siemens_units(), true, &valid.g_min, valid.g_max);
  }
  if (node.has("current")) {
    read_limits(node.at("current"), ampere_units(), false, nullptr, valid.i_max);
  }
  if (node.has("voltage")) {
    read_limits(node.at("voltage"), volt_units(), false, nullptr, valid.v_max);
  }
  if (node.has("time")) {
    read_limits(node.at("time"), time_units(), false, nullptr, valid.time);
  }
  if (node.has("on_off_ratio")) {
    const Node ratio = node.at("on_off_ratio");
    ratio.expect_keys({"max"});
    valid.on_off_ratio = ratio.at("max").above_zero();
  }
  return valid;
}

std::optional<double> smaller(const std::optional<double>& a, const std::optional<double>& b) {
  return a && b ? std::min(*a, *b) : a ? a : b;
}

/// Arguments for which a curve must make sense, in its own units.
std::pair<double, double> argument_range(const Curve& curve, const Node& node, const DeviceValidity& whole,
                                         const DeviceValidity& part) {
  if (curve.argument == Curve::Quantity::number) {
    return {0, 1};
  }
  const bool current = curve.argument == Curve::Quantity::current;
  const auto most = current ? smaller(whole.i_max, part.i_max) : smaller(whole.g_max, part.g_max);
  if (!most) {
    throw node.place.error(
        fmt::format("is over a {0}, but neither 'valid' here nor the file's says up to which: "
                    "expected \"valid\": {{\"{0}\": {{\"unit\", \"max\"}}}}",
                    current ? "current" : "conductance"));
  }
  const double least = current ? 0 : std::max(whole.g_min.value_or(0), part.g_min.value_or(0));
  return {least / curve.argument_unit, *most / curve.argument_unit};
}

/// Standard deviations and exponents may not be negative, nor anything infinite, where the file says that it is valid.
void check_values(const Curve& curve, const Node& node, const DeviceValidity& whole, const DeviceValidity& part,
                  bool may_be_negative) {
  const auto [low, high] = argument_range(curve, node, whole, part);
  Curve plain = curve;  // argument and value in the curve's own units
  plain.argument = plain.value = Curve::Quantity::number;
  plain.argument_unit = plain.value_unit = 1;
  const CurveView value_at = plain.view(1, 1);
  constexpr int steps = 4096;
  for (int k = 0; k <= steps; ++k) {
    const double x = low + (high - low) * k / steps, value = value_at(x);
    const bool good = std::isfinite(value) && (may_be_negative || value >= 0);
    if (!good) {
      throw node.place.error(fmt::format(
          "is {:.6g} at {:.6g} within the valid range {:.6g} to {:.6g} (in the units of 'argument'), expected {}; "
          "'min': 0 cuts it off",
          value, x, low, high, may_be_negative ? "a finite number" : "a number >= 0"));
    }
  }
}

Curve read_checked(const Node& node, ValueKind kind, const DeviceValidity& whole, const DeviceValidity& part,
                   bool may_be_negative = false) {
  Curve curve = read_curve(node, kind);
  check_values(curve, node, whole, part, may_be_negative);
  return curve;
}

MeasuredSpread read_programming(const Node& node, const MeasuredDevice& device) {
  node.expect_keys({"sigma", "valid", "about"});
  MeasuredSpread spread;
  spread.valid = read_validity(node);
  spread.sigma = read_checked(node.at("sigma"), ValueKind::spread, device.valid, spread.valid);
  return spread;
}

MeasuredReadNoise read_read_noise(const Node& node, const MeasuredDevice& device) {
  const bool flicker = node.value.is_object() && node.has("q");
  node.expect_keys(flicker ? std::vector<std::string>{"q", "t_read", "valid", "about"}
                           : std::vector<std::string>{"sigma", "valid", "about"});
  MeasuredReadNoise noise;
  noise.valid = read_validity(node);
  if (!flicker) {
    noise.sigma = read_checked(node.at("sigma"), ValueKind::spread, device.valid, noise.valid);
    return noise;
  }
  noise.sigma = read_checked(node.at("q"), ValueKind::number, device.valid, noise.valid);
  noise.t_read = node.at("t_read").above_zero();
  if (!(device.t0 > *noise.t_read)) {
    throw node.at("t_read").place.error(
        fmt::format("found {} s, expected less than the file's 't0', {} s", *noise.t_read, device.t0));
  }
  return noise;
}

/// Curves at several times differ in their numbers only: these are interpolated.
void check_alike(const Curve& first, const Curve& other, const Node& node) {
  Curve same = other;
  same.parameters = first.parameters;
  if (!(same == first) || other.parameters.size() != first.parameters.size()) {
    throw node.place.error(
        "differs from the first time's in more than its numbers: expected the same law, units, limits, points and "
        "number of coefficients, so that it can be interpolated");
  }
}

DistributionDrift read_distribution(const Node& node, const MeasuredDevice& device, const DeviceValidity& valid) {
  node.expect_keys({"model", "time_unit", "at", "valid", "about"});
  const double unit = unit_of(node.at("time_unit"), time_units());
  const Node list = node.at("at");
  if (!list.value.is_array() || list.value.empty()) {
    throw list.mismatch("a list of {\"time\", \"shift\", \"sigma\"}");
  }
  DistributionDrift drift;
  for (std::size_t k = 0; k < list.value.size(); ++k) {
    const Node entry = list.at(k);
    entry.expect_keys({"time", "shift", "sigma"});
    const double time = entry.at("time").at_least_zero() * unit;
    if (!drift.times.empty() && time <= drift.times.back()) {
      throw entry.at("time").place.error(
          fmt::format("not ascending: {} comes after {}", time / unit, drift.times.back() / unit));
    }
    drift.times.push_back(time);
    drift.shift.push_back(read_checked(entry.at("shift"), ValueKind::spread, device.valid, valid, true));
    drift.sigma.push_back(read_checked(entry.at("sigma"), ValueKind::spread, device.valid, valid));
    check_alike(drift.shift.front(), drift.shift.back(), entry.at("shift"));
    check_alike(drift.sigma.front(), drift.sigma.back(), entry.at("sigma"));
  }
  return drift;
}

PowerLawDrift read_power_law(const Node& node, const MeasuredDevice& device, const DeviceValidity& valid) {
  node.expect_keys({"model", "exponent", "valid", "about"});
  if (!(device.t0 > 0)) {
    throw node.place.error("a power law needs the file's 't0' [s] > 0: the time of the first read");
  }
  const Node exponent = node.at("exponent");
  exponent.expect_keys({"mean", "sigma"});
  return {read_checked(exponent.at("mean"), ValueKind::number, device.valid, valid),
          read_checked(exponent.at("sigma"), ValueKind::number, device.valid, valid)};
}

MeasuredDrift read_drift(const Node& node, const MeasuredDevice& device) {
  if (!node.value.is_object()) {
    throw node.mismatch("an object");
  }
  MeasuredDrift drift;
  drift.valid = read_validity(node);
  const Node model = node.at("model");
  if (model.value == "distribution") {
    drift.distribution = read_distribution(node, device, drift.valid);
  } else if (model.value == "power_law") {
    drift.power_law = read_power_law(node, device, drift.valid);
  } else {
    throw model.mismatch("\"distribution\" or \"power_law\"");
  }
  return drift;
}

MeasuredCurrent read_current(const Node& node) {
  constexpr std::size_t most_terms = 3;
  node.expect_keys({"terms", "valid", "about"});
  MeasuredCurrent current;
  current.valid = read_validity(node);
  const Node list = node.at("terms");
  if (!list.value.is_array() || list.value.empty() || list.value.size() > most_terms) {
    throw list.mismatch(fmt::format("a list of 1 to {} terms beside G V", most_terms));
  }
  for (std::size_t k = 0; k < list.value.size(); ++k) {
    const Node entry = list.at(k);
    entry.expect_keys({"power", "coefficient", "above"});
    MeasuredCurrent::Term term;
    const Node power = entry.at("power");
    const int last = current.terms.empty() ? 1 : current.terms.back().power;
    if (!power.value.is_number_integer() || power.value <= last || power.value > 9) {
      throw power.mismatch(fmt::format("an integer {}..9, ascending", last + 1));
    }
    term.power = power.value.get<int>();
    term.coefficient = read_curve(entry.at("coefficient"), ValueKind::coefficient, term.power);
    if (entry.has("above")) {
      const Node above = entry.at("above");
      above.expect_keys({"value", "unit"});
      term.above = above.at("value").at_least_zero() * unit_of(above.at("unit"), siemens_units());
    }
    current.terms.push_back(std::move(term));
  }
  return current;
}

void read_suggestion(const Node& node, MeasuredDevice& device) {
  node.expect_keys({"r_min", "on_off_ratio"});
  if (node.has("r_min")) {
    device.suggested_r_min = node.at("r_min").above_zero();
  }
  if (node.has("on_off_ratio")) {
    device.suggested_on_off_ratio = node.at("on_off_ratio").above_zero();
  }
}

bool in_amperes(const MeasuredDevice& device) {
  std::vector<const Curve*> curves;
  if (device.programming_error) {
    curves.push_back(&device.programming_error->sigma);
  }
  if (device.read_noise) {
    curves.push_back(&device.read_noise->sigma);
  }
  if (device.drift && device.drift->distribution) {
    curves.push_back(&device.drift->distribution->shift.front());
    curves.push_back(&device.drift->distribution->sigma.front());
  }
  if (device.drift && device.drift->power_law) {
    curves.push_back(&device.drift->power_law->mean);
    curves.push_back(&device.drift->power_law->sigma);
  }
  return std::any_of(curves.begin(), curves.end(), [](const Curve* curve) {
    return curve->argument == Curve::Quantity::current || curve->value == Curve::Quantity::current;
  });
}

}  // namespace

MeasuredDevice parse_device(const Json& document, const std::string& path) {
  const Node root{document, {path, ""}};
  root.expect_keys(
      {"name", "source", "about", "valid", "suggested", "t0", "programming_error", "read_noise", "drift", "iv"});
  MeasuredDevice device;
  device.name = root.at("name").text();
  device.source = root.at("source").text();
  device.valid = read_validity(root);
  if (root.has("t0")) {
    device.t0 = root.at("t0").at_least_zero();
  }
  if (root.has("suggested")) {
    read_suggestion(root.at("suggested"), device);
  }
  if (root.has("programming_error")) {
    device.programming_error = read_programming(root.at("programming_error"), device);
  }
  if (root.has("read_noise")) {
    device.read_noise = read_read_noise(root.at("read_noise"), device);
  }
  if (root.has("drift")) {
    device.drift = read_drift(root.at("drift"), device);
  }
  if (root.has("iv")) {
    device.current = read_current(root.at("iv"));
  }
  if (!device.programming_error && !device.read_noise && !device.drift && !device.current) {
    throw root.place.error("measures nothing: expected one or more of programming_error, read_noise, drift, iv");
  }
  device.in_amperes = in_amperes(device);
  // By what it says, not by how it is written.
  device.content = hash_text(canonical_text(document));
  return device;
}

std::shared_ptr<const MeasuredDevice> read_device_file(const std::string& path) {
  return std::make_shared<const MeasuredDevice>(parse_device(read_json_file(path), path));
}

}  // namespace crossgrid
