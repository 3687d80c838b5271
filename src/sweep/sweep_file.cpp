#include "crossgrid/sweep/sweep_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <set>

#include "command_line_values.hpp"
#include "crossgrid/sweep/effective_hardware.hpp"
#include "document.hpp"
#include "sample_axis.hpp"
#include "sweep_fields.hpp"
#include "sweep_settings.hpp"

namespace crossgrid {

const std::vector<std::string>& known_metrics() {
  static const std::vector<std::string> metrics{"top1",        "top5",          "loss",
                                                "layer_error", "adc_clip_rate", "input_halvings"};
  return metrics;
}

namespace {

struct Method {
  RangeFit fit;
  const char* name;
};

constexpr Method methods[] = {{RangeFit::least_squares, "least_squares"},
                              {RangeFit::least_absolute, "least_absolute"},
                              {RangeFit::percentile, "percentile"},
                              {RangeFit::maximum, "max"},
                              {RangeFit::signal_to_noise, "snr"}};

}  // namespace

const char* method_name(RangeFit fit) {
  return std::find_if(std::begin(methods), std::end(methods), [&](const Method& known) { return known.fit == fit; })
      ->name;
}

namespace {

/// Typed reading of the fields beside `hardware` and `grid`.
class Fields {
 public:
  explicit Fields(const Document& document) : document_(document) {}

  const DocumentLeaf* find(const std::string& path) const { return document_.find(path); }

  std::string text(const std::string& path, const std::string& fallback) const {
    const DocumentLeaf* leaf = find(path);
    if (leaf && (!leaf->value.is_string() || (leaf->value.get_ref<const std::string&>().empty() && path != "about"))) {
      throw leaf->place.error(fmt::format("{}: found {}, expected text", path, found_text(leaf->value)));
    }
    return leaf ? leaf->value.get<std::string>() : fallback;
  }

  std::string word(const std::string& path, const std::string& fallback, const std::vector<std::string>& words) const {
    return value(path, ValueType{.words = words}, fallback).get<std::string>();
  }

  std::uint64_t integer(const std::string& path, std::int64_t low, std::int64_t high, std::uint64_t fallback) const {
    return static_cast<std::uint64_t>(
        value(path, ValueType{.integer = ValueType::Integers{low, high}}, Json(fallback)).get<std::int64_t>());
  }

  Json value(const std::string& path, const ValueType& type, const Json& fallback) const {
    const DocumentLeaf* leaf = find(path);
    if (!leaf) {
      return fallback;
    }
    const auto canonical = canonical_value(type, leaf->value);
    if (!canonical) {
      throw leaf->place.error(fmt::format("{}: found {}, expected {}", path, found_text(leaf->value), describe(type)));
    }
    return *canonical;
  }

  ImageRange images(const std::string& path, const ImageRange& fallback) const {
    const DocumentLeaf* all = find(path);
    if (all && all->value != "all") {
      throw all->place.error(fmt::format("{}: found {}, expected \"all\" or {{\"first\": 0, \"count\": 1000}}", path,
                                         found_text(all->value)));
    }
    const DocumentLeaf* first = find(path + ".first");
    const DocumentLeaf* count = find(path + ".count");
    if (all || (!first && !count)) {
      return all ? ImageRange{} : fallback;
    }
    if (!count) {
      throw first->place.error(fmt::format("{}.count is missing", path));
    }
    return {false, integer(path + ".first", 0, max_seed, 0), integer(path + ".count", 1, max_seed, 1)};
  }

  /// Pixels of a side, or [height, width]; empty where there is none.
  std::vector<int> sides(const std::string& path) const {
    const DocumentLeaf* leaf = find(path);
    if (!leaf) {
      return {};
    }
    const Json list = leaf->value.is_array() && leaf->value.size() == 2 ? leaf->value : Json::array({leaf->value});
    std::vector<int> found;
    for (const Json& item : list) {
      const auto side = canonical_value(ValueType{.integer = ValueType::Integers{1, max_side}}, item);
      if (!side) {
        throw leaf->place.error(fmt::format("{}: found {}, expected pixels (1..{}) or [height, width]", path,
                                            found_text(leaf->value), max_side));
      }
      found.push_back(side->get<int>());
    }
    return found;
  }

  /// A number per channel.
  std::optional<std::vector<double>> numbers(const std::string& path, bool positive) const {
    const DocumentLeaf* leaf = find(path);
    if (!leaf) {
      return std::nullopt;
    }
    std::vector<double> list;
    bool good = leaf->value.is_array() && !leaf->value.empty();
    for (const Json& item : good ? leaf->value : Json::array()) {
      good = good && item.is_number() && (!positive || item.get<double>() > 0);
      list.push_back(good ? item.get<double>() : 0);
    }
    if (!good) {
      throw leaf->place.error(fmt::format("{}: found {}, expected a list of numbers{}, one per channel", path,
                                          found_text(leaf->value), positive ? " > 0" : ""));
    }
    return list;
  }

 private:
  const Document& document_;
};

std::string read_name(const Fields& fields, const std::string& path) {
  std::string name = fields.text("name", std::filesystem::path(path).stem().string());
  const bool good = !name.empty() && name.size() <= 64 &&
                    name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
                        std::string::npos &&
                    name.find_first_not_of('.') != std::string::npos;
  if (!good) {
    const DocumentLeaf* leaf = fields.find("name");
    const Place place = leaf ? leaf->place : Place{path, "/name"};
    throw place.error(fmt::format("{} '{}' can't name a folder: expected 1 to 64 of A-Z a-z 0-9 . _ -",
                                  leaf ? "name" : "the file's name", name));
  }
  return name;
}

std::vector<std::string> read_metrics(const Fields& fields) {
  const DocumentLeaf* leaf = fields.find("metrics");
  if (!leaf) {
    return {"top1"};
  }
  if (!leaf->value.is_array() || leaf->value.empty()) {
    throw leaf->place.error(fmt::format("metrics: found {}, expected a list of names: {}", found_text(leaf->value),
                                        fmt::join(known_metrics(), ", ")));
  }
  std::vector<std::string> metrics;
  for (std::size_t i = 0; i < leaf->value.size(); ++i) {
    const Json& item = leaf->value[i];
    const std::string name = item.is_string() ? item.get<std::string>() : "";
    if (std::find(known_metrics().begin(), known_metrics().end(), name) == known_metrics().end()) {
      const std::string nearest = nearest_name(name, known_metrics());
      throw(leaf->place / i)
          .error(fmt::format("unknown metric {}{}(known: {})", found_text(item),
                             nearest.empty() ? " " : "\n  did you mean '" + nearest + "'? ",
                             fmt::join(known_metrics(), ", ")));
    }
    if (std::find(metrics.begin(), metrics.end(), name) != metrics.end()) {
      throw(leaf->place / i).error(fmt::format("metric '{}' is there twice", name));
    }
    metrics.push_back(name);
  }
  return metrics;
}

std::string required_path(const Fields& fields, const std::string& name, const std::string& file) {
  if (!fields.find(name)) {
    throw input_error(file, fmt::format("'{}' is missing", name));
  }
  return fields.text(name, "");
}

void read_dataset_options(const Fields& fields, DatasetOptions& options, ProblemList& problems) {
  problems.attempt([&] {
    const std::vector<int> resize = fields.sides("dataset.preprocess.resize");
    if (resize.size() == 1) options.geometry.shorter = resize.front();
    if (resize.size() == 2) options.geometry.size = ImageSize{resize.front(), resize.back()};
  });
  problems.attempt([&] {
    const std::vector<int> crop = fields.sides("dataset.preprocess.crop");
    if (!crop.empty()) options.geometry.crop = ImageSize{crop.front(), crop.back()};
  });
  problems.attempt([&] {
    const std::string layout = fields.word("dataset.preprocess.layout", "auto", layouts());
    options.layout = static_cast<Layout>(std::ranges::find(layouts(), layout) - layouts().begin());
  });
}

void read_data(const Fields& fields, const std::string& path, SweepFile& sweep, ProblemList& problems) {
  problems.attempt([&] { sweep.network_path = required_path(fields, "network", path); });
  problems.attempt([&] { sweep.dataset_path = required_path(fields, "dataset.path", path); });
  problems.attempt([&] { sweep.dataset_format = fields.word("dataset.format", "auto", dataset_formats()); });
  problems.attempt([&] { sweep.dataset_split = fields.text("dataset.split", "test"); });
  problems.attempt([&] { sweep.images = fields.images("dataset.images", {}); });
  problems.attempt([&] { sweep.preprocess_mean = fields.numbers("dataset.preprocess.mean", false); });
  problems.attempt([&] { sweep.preprocess_std = fields.numbers("dataset.preprocess.std", true); });
  problems.attempt([&] {
    if (fields.find("dataset.preprocess.scale")) {
      const ValueType any{.number = ValueType::Numbers{.low = -std::numeric_limits<double>::infinity()}};
      sweep.preprocess_scale = fields.value("dataset.preprocess.scale", any, {}).get<double>();
    }
  });
  read_dataset_options(fields, sweep.dataset_options, problems);
}

void read_calibration(const Fields& fields, CalibrationSpec& calibration, ProblemList& problems) {
  problems.attempt([&] { calibration.file = fields.text("calibration.file", ""); });
  problems.attempt([&] { calibration.split = fields.text("calibration.split", calibration.split); });
  problems.attempt([&] { calibration.images = fields.images("calibration.images", calibration.images); });
  problems.attempt([&] {
    const std::string method = fields.word("calibration.method", "least_squares", calibration_methods());
    calibration.method = std::find_if(std::begin(methods), std::end(methods), [&](const Method& known) {
                           return method == known.name;
                         })->fit;
    if (const DocumentLeaf* leaf = fields.find("calibration.percentile")) {
      if (method != "percentile") {
        throw leaf->place.error(
            fmt::format("calibration.percentile has no effect: calibration.method is \"{}\"", method));
      }
      calibration.percentile =
          fields.value("calibration.percentile", ValueType{.number = ValueType::Numbers{.low = 0, .high = 100}}, {})
              .get<double>();
    }
  });
}

/// Parameters from hardware.* leaves.
std::vector<Setting> read_hardware(const Document& document, ProblemList& problems) {
  std::vector<Setting> settings;
  for (const DocumentLeaf& leaf : document.leaves) {
    if (!leaf.path.starts_with("hardware.")) {
      continue;
    }
    problems.attempt([&] {
      const Parameter& parameter = *find_parameter(std::string_view(leaf.path).substr(9));
      if (parameter.scope == ParameterScope::layers_only) {
        throw leaf.place.error(
            fmt::format("{0} is set per layer: in 'layers', or as an axis '{0}@pattern'", parameter.path));
      }
      settings.push_back({&parameter, "", parameter_value(parameter, leaf.value, leaf.place), leaf.place});
    });
  }
  return settings;
}

LayerOverride read_layer(Json settings, const Place& place) {
  if (!settings.is_object() || !settings.contains("match") || !settings.at("match").is_string() ||
      settings.at("match").get_ref<const std::string&>().empty()) {
    throw place.error(
        fmt::format("found {}, expected an object with \"match\": a pattern of layer names", found_text(settings)));
  }
  LayerOverride entry{settings.at("match").get<std::string>(), {}, place};
  settings.erase("match");
  entry.settings = parse_layer_settings(settings, place);
  if (entry.settings.empty()) {
    throw place.error("sets nothing");
  }
  return entry;
}

std::vector<LayerOverride> read_layers(const Fields& fields, ProblemList& problems) {
  const DocumentLeaf* leaf = fields.find("layers");
  if (!leaf) {
    return {};
  }
  if (!leaf->value.is_array()) {
    throw leaf->place.error(
        fmt::format("found {}, expected a list of {{\"match\": pattern, parameter: value}}: its order decides",
                    found_text(leaf->value)));
  }
  std::vector<LayerOverride> layers;
  for (std::size_t i = 0; i < leaf->value.size(); ++i) {
    problems.attempt([&] { layers.push_back(read_layer(leaf->value[i], leaf->place / i)); });
  }
  return layers;
}

/// Two axes must not set the same parameter (rule R7), nor make columns of the same name.
void refuse_axes_that_meet(const std::vector<Axis>& axes) {
  std::map<std::string, const Axis*> owners;
  std::map<std::string, const Axis*> columns;
  for (const Axis& axis : axes) {
    std::set<std::string> own;
    for (const AxisValue& value : axis.values) {
      for (const Setting& setting : value.settings) {
        own.insert(setting.name());
      }
    }
    for (const std::string& name : own) {
      const auto [owner, fresh] = owners.emplace(name, &axis);
      if (!fresh) {
        throw axis.place.error(
            fmt::format("'{}' is set by two axes: '{}' and '{}'", name, owner->second->name, axis.name));
      }
    }
    for (const std::string& column : axis.columns) {
      if (!columns.emplace(column, &axis).second) {
        throw axis.place.error(fmt::format("two axes make the column '{}'", column));
      }
    }
  }
}

/// The first leaf of a section; null where it has none.
const DocumentLeaf* first_of(const Document& document, const std::string& section) {
  const auto found = std::ranges::find_if(
      document.leaves, [&](const DocumentLeaf& leaf) { return leaf.path.starts_with(section + "."); });
  return found == document.leaves.end() ? nullptr : &*found;
}

void need(const Fields& fields, const DocumentLeaf& any, std::initializer_list<const char*> members) {
  for (const char* member : members) {
    if (!fields.find(member)) throw any.place.error(fmt::format("'{}' is missing", member));
  }
}

/// The axis that `sample` makes; none where there is no sample.
std::optional<Axis> read_sample(const Document& document, const Fields& fields) {
  const DocumentLeaf* any = first_of(document, "sample");
  if (!any) return std::nullopt;
  need(fields, *any, {"sample.method", "sample.points", "sample.parameters"});
  SampleSpec spec;
  ProblemList problems;
  problems.attempt([&] { spec.method = fields.word("sample.method", "", sample_methods()); });
  problems.attempt([&] { spec.points = fields.integer("sample.points", 1, most_sample_points, 1); });
  problems.attempt([&] {
    if (fields.find("sample.seed")) spec.seed = fields.integer("sample.seed", 0, max_seed, 0);
  });
  problems.throw_if_any();
  const DocumentLeaf& parameters = *fields.find("sample.parameters");
  return sample_axis(spec, parameters.value, parameters.place);
}

std::vector<Axis> read_axes(const Document& document, const Fields& fields) {
  std::vector<Axis> axes;
  ProblemList problems;
  for (const DocumentLeaf& leaf : document.leaves) {
    if (leaf.path.starts_with(axis_prefix)) {
      const std::string name = leaf.path.substr(std::string_view(axis_prefix).size());
      problems.attempt([&] { axes.push_back(parse_axis(name, leaf.value, leaf.place)); });
    }
  }
  problems.attempt([&] {
    if (std::optional<Axis> sample = read_sample(document, fields)) axes.push_back(std::move(*sample));
  });
  problems.attempt([&] { refuse_axes_that_meet(axes); });
  problems.throw_if_any();
  return axes;
}

/// Reads a list of the document that speaks of points. Entries that speak of none are mistakes, but --grid may have
/// taken their values away: then they are dropped, from the document too.
template <class Read>
void read_point_list(Document& document, const char* path, const char* what, bool axes_overridden, const Read& read) {
  const auto leaf = std::find_if(document.leaves.begin(), document.leaves.end(),
                                 [&](const DocumentLeaf& l) { return l.path == path; });
  if (leaf == document.leaves.end()) {
    return;
  }
  if (!leaf->value.is_array()) {
    throw leaf->place.error(fmt::format("found {}, expected a list of {}", found_text(leaf->value), what));
  }
  ProblemList problems;
  Json kept = Json::array();
  for (std::size_t i = 0; i < leaf->value.size(); ++i) {
    problems.attempt([&] {
      if (read(leaf->value[i], leaf->place / i)) {
        kept.push_back(leaf->value[i]);
      }
    });
  }
  problems.throw_if_any();
  if (axes_overridden) leaf->value = std::move(kept);
}

std::vector<PointRule> read_exclude(Document& document, const std::vector<Axis>& axes, bool axes_overridden) {
  std::vector<PointRule> rules;
  read_point_list(document, "exclude", "rules", axes_overridden, [&](const Json& entry, const Place& place) {
    PointRule rule = parse_point_rule(entry, axes, place);
    const bool possible = rule.possible();
    if (!possible && !axes_overridden) {
      throw place.error(fmt::format("excludes no point: no value of the axes satisfies {}", found_text(entry)));
    }
    if (possible) rules.push_back(std::move(rule));
    return possible;
  });
  return rules;
}

std::vector<ExpectedValue> read_expected(Document& document, const SweepFile& sweep, bool axes_overridden) {
  std::vector<ExpectedValue> list;
  read_point_list(document, "expected", "expected values", axes_overridden, [&](const Json& entry, const Place& place) {
    ExpectedValue expected = parse_expected_value(entry, sweep.axes, sweep.metrics, place);
    const bool possible = expected.where.possible();
    if (!possible && !axes_overridden) {
      throw(place / "where").error(fmt::format("no value of the axes satisfies {}", found_text(entry.at("where"))));
    }
    if (possible) list.push_back(std::move(expected));
    return possible;
  });
  return list;
}

std::string deciding_metric(const Fields& fields, const std::string& path, const std::vector<std::string>& metrics) {
  std::string metric = fields.word(path, "", known_metrics());
  if (std::ranges::find(metrics, metric) == metrics.end()) {
    throw fields.find(path)->place.error(
        fmt::format("'{}' is no metric of this sweep (metrics: {})", metric, fmt::join(metrics, ", ")));
  }
  return metric;
}

/// A number above 0 and below `high`; none where it is not said.
std::optional<double> positive(const Fields& fields, const std::string& path,
                               double high = std::numeric_limits<double>::infinity()) {
  if (!fields.find(path)) return std::nullopt;
  const ValueType::Numbers range{.low = 0, .high = high, .low_open = true, .high_open = true};
  return fields.value(path, ValueType{.number = range}, {}).get<double>();
}

std::size_t bisected_axis(const Fields& fields, const std::vector<Axis>& axes) {
  const std::string name = fields.text("bisect.axis", "");
  const Place& place = fields.find("bisect.axis")->place;
  std::vector<std::string> names;
  for (const Axis& axis : axes) {
    if (!axis.sampled) names.push_back(axis.name);
  }
  const auto found = std::ranges::find_if(axes, [&](const Axis& axis) { return axis.name == name && !axis.sampled; });
  if (found == axes.end()) {
    const std::string nearest = nearest_name(name, names);
    throw place.error(fmt::format("'{}' is no axis of the grid{} (axes: {})", name,
                                  nearest.empty() ? "" : "\n  did you mean '" + nearest + "'?",
                                  fmt::join(names, ", ")));
  }
  if (found->values.size() < 3) {
    throw place.error(fmt::format("'{}' has {} values: a search needs 3 or more", name, found->values.size()));
  }
  return static_cast<std::size_t>(found - axes.begin());
}

std::optional<BisectRule> read_bisect(const Document& document, const Fields& fields, const SweepFile& sweep) {
  const DocumentLeaf* any = first_of(document, "bisect");
  if (!any) return std::nullopt;
  need(fields, *any, {"bisect.axis", "bisect.metric"});
  BisectRule rule;
  ProblemList problems;
  problems.attempt([&] {
    rule.axis = bisected_axis(fields, sweep.axes);
    rule.columns = sweep.axes[rule.axis].columns;
  });
  problems.attempt([&] { rule.metric = deciding_metric(fields, "bisect.metric", sweep.metrics); });
  problems.attempt([&] {
    const bool both = fields.find("bisect.threshold") && fields.find("bisect.worse_by");
    const std::optional<double> worse_by = positive(fields, "bisect.worse_by");
    if (fields.find("bisect.threshold")) {
      const ValueType any_number{.number = ValueType::Numbers{.low = -std::numeric_limits<double>::infinity()}};
      rule.threshold = fields.value("bisect.threshold", any_number, {}).get<double>();
    }
    if (both || (!rule.threshold && !worse_by)) {
      throw any->place.error("expected one of 'bisect.threshold' and 'bisect.worse_by'");
    }
    rule.worse_by = worse_by.value_or(0);
  });
  problems.throw_if_any();
  return rule;
}

std::optional<TrialRounds> read_rounds(const Document& document, const Fields& fields, const SweepFile& sweep) {
  const DocumentLeaf* any = first_of(document, "rounds");
  if (!any) return std::nullopt;
  need(fields, *any, {"rounds.metric", "rounds.first"});
  TrialRounds rules;
  ProblemList problems;
  problems.attempt([&] { rules.metric = deciding_metric(fields, "rounds.metric", sweep.metrics); });
  problems.attempt([&] {
    rules.first = static_cast<std::uint32_t>(fields.integer("rounds.first", 1, max_trials, 1));
    if (rules.first >= sweep.trials) {
      throw fields.find("rounds.first")
          ->place.error(
              fmt::format("found {}, but 'trials' is {}: there is only one round", rules.first, sweep.trials));
    }
  });
  problems.attempt([&] { rules.keep_best = positive(fields, "rounds.keep_best", 1); });
  problems.attempt([&] { rules.stop_width = positive(fields, "rounds.stop_width"); });
  problems.attempt([&] {
    if (fields.find("rounds.keep_best") || fields.find("rounds.stop_width")) return;
    throw any->place.error("decides nothing: expected 'rounds.keep_best', 'rounds.stop_width' or both");
  });
  problems.attempt([&] {
    if (const DocumentLeaf* other = first_of(document, "bisect")) {
      throw other->place.error("'bisect' and 'rounds' exclude each other: a search needs all trials of its points");
    }
  });
  problems.throw_if_any();
  return rules;
}

Json& member(Json& object, const std::string& key) {
  if (!object.contains(key)) {
    object[key] = Json::object();
  }
  return object[key];
}

/// The document that parses to this sweep anywhere.
Json resolved_document(const Document& document, const SweepFile& sweep) {
  Json resolved = Json::object();
  resolved["name"] = sweep.name;
  for (const DocumentLeaf& leaf : document.leaves) {
    const std::size_t dot = leaf.path.find('.');
    if (leaf.path.starts_with(axis_prefix)) {
      member(resolved, "grid")[leaf.path.substr(std::string_view(axis_prefix).size())] = leaf.value;
    } else if (dot != std::string::npos) {
      member(resolved, leaf.path.substr(0, dot))[leaf.path.substr(dot + 1)] = leaf.value;
    } else if (leaf.path != "$schema") {
      resolved[leaf.path] = leaf.value;
    }
  }
  return resolved;
}

void apply_overrides(Document& document, const SweepOverrides& overrides) {
  for (DocumentLeaf& leaf : command_line_leaves(overrides)) {
    document.put_over(std::move(leaf));
  }
}

/// What --set says of a parameter that is an axis would be lost.
void refuse_lost_overrides(const Document& document, const std::vector<Axis>& axes) {
  for (const DocumentLeaf& leaf : document.leaves) {
    if (!leaf.place.file.starts_with("--set ") || !leaf.path.starts_with("hardware.")) {
      continue;
    }
    const std::string name = leaf.path.substr(9);
    for (const Axis& axis : axes) {
      const bool always = std::all_of(axis.values.begin(), axis.values.end(), [&](const AxisValue& value) {
        return std::any_of(value.settings.begin(), value.settings.end(),
                           [&](const Setting& setting) { return setting.name() == name; });
      });
      if (always && axis.sampled) {
        throw leaf.place.error(fmt::format("has no effect: '{}' is drawn by 'sample'", name));
      }
      if (always) {
        throw leaf.place.error(fmt::format("has no effect: '{0}' is an axis of the grid; say --grid {0}=VALUE", name));
      }
    }
  }
}

/// A conversion per input slice, where nothing in the sweep slices inputs, is a mistake: one of the two was forgotten.
void refuse_slices_of_whole_inputs(const SweepFile& sweep) {
  const auto slices = [](const Setting& setting) {
    return setting.parameter->path == "dac.slice_bits" && setting.value != setting.parameter->fallback;
  };
  if (any_setting(sweep, slices)) {
    return;
  }
  any_setting(sweep, [](const Setting& setting) -> bool {
    if (setting.parameter->path != "adc.per_input_slice" || setting.value != true) {
      return false;
    }
    throw setting.place.error("found true, but inputs are not sliced: set dac.slice_bits too");
  });
}

/// Where the sweep is refused anyway: combinations of the parameters in `hardware` that can't be built, as far as all
/// of them could be read and nothing else sets them. So that they are told in the same list.
void add_impossible_hardware(const Document& document, const SweepFile& sweep, ProblemList& problems) {
  std::set<std::string> unknown;
  for (const DocumentLeaf& leaf : document.leaves) {
    if (leaf.path.starts_with("hardware.")) {
      unknown.insert(leaf.path.substr(9));
    }
  }
  LayerHardware hardware;
  for (const Setting& setting : sweep.hardware) {
    unknown.erase(setting.parameter->path);
    if (setting.parameter->set) {
      setting.parameter->set(hardware, setting.value);
    }
  }
  over_varied_settings(sweep, [&](const Setting& setting) { unknown.insert(setting.parameter->path); });
  unknown.insert("device.faults.map");  // meets the layers' shapes
  for (const Impossible& found : impossible_hardware(hardware, {})) {
    std::vector<std::string> places;
    for (const Setting& setting : sweep.hardware) {
      if (std::ranges::find(found.parameters, setting.parameter->path) != found.parameters.end()) {
        places.push_back(setting.place.pointer);
      }
    }
    if (std::ranges::none_of(found.parameters, [&](const std::string& path) { return unknown.contains(path); })) {
      problems.add(fmt::format("{}: {} ({})", sweep.path, found.reason, fmt::join(places, ", ")));
    }
  }
}

}  // namespace

SweepFile parse_sweep(const Json& root, const std::string& path, const SweepOverrides& overrides) {
  ProblemList problems;
  Document document = flatten_document(root, path, overrides.allow_outside, problems);
  problems.attempt([&] { apply_overrides(document, overrides); });
  const Fields fields(document);
  SweepFile sweep;
  sweep.path = path;
  problems.attempt([&] { sweep.name = read_name(fields, path); });
  problems.attempt([&] { sweep.about = fields.text("about", ""); });
  read_data(fields, path, sweep, problems);
  read_calibration(fields, sweep.calibration, problems);
  problems.attempt([&] { sweep.trials = static_cast<std::uint32_t>(fields.integer("trials", 1, max_trials, 1)); });
  problems.attempt([&] { sweep.seed = fields.integer("seed", 0, max_seed, 0); });
  problems.attempt([&] { sweep.metrics = read_metrics(fields); });
  sweep.hardware = read_hardware(document, problems);
  problems.attempt([&] { sweep.layers = read_layers(fields, problems); });
  // What is said of axes makes sense only where they could all be read.
  const bool axes_read = problems.attempt([&] { sweep.axes = read_axes(document, fields); });
  if (axes_read) {
    problems.attempt([&] { refuse_lost_overrides(document, sweep.axes); });
    problems.attempt([&] { sweep.exclude = read_exclude(document, sweep.axes, !overrides.grid.empty()); });
    problems.attempt([&] { sweep.expected = read_expected(document, sweep, !overrides.grid.empty()); });
    problems.attempt([&] { sweep.bisect = read_bisect(document, fields, sweep); });
    problems.attempt([&] { sweep.rounds = read_rounds(document, fields, sweep); });
  }
  problems.attempt([&] { refuse_slices_of_whole_inputs(sweep); });
  if (!problems.empty() && axes_read) {
    add_impossible_hardware(document, sweep, problems);
  }
  problems.throw_if_any();
  sweep.resolved = resolved_document(document, sweep);
  return sweep;
}

SweepFile read_sweep(const std::string& path, const SweepOverrides& overrides) {
  return parse_sweep(read_json_file(path), path, overrides);
}

}  // namespace crossgrid
