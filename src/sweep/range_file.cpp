#include "crossgrid/sweep/range_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "crossgrid/network/calibration.hpp"
#include "crossgrid/sweep/place.hpp"
#include "crossgrid/sweep/value_type.hpp"

namespace crossgrid {

namespace {

constexpr const char* format_name = "crossgrid-ranges";

void check_keys(const Json& object, const std::vector<std::string>& known, const Place& place) {
  if (!object.is_object()) {
    throw place.error(fmt::format("found {}, expected an object with {}", found_text(object), fmt::join(known, ", ")));
  }
  for (const auto& [key, value] : object.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) {
      continue;
    }
    const std::string nearest = nearest_name(key, known);
    throw(place / key)
        .error(fmt::format("unknown key{}(known: {})", nearest.empty() ? " " : "; did you mean '" + nearest + "'? ",
                           fmt::join(known, ", ")));
  }
}

bool finite_number(const Json& value) {
  return value.is_number() && std::isfinite(value.get<double>());
}

Interval read_interval(const Json& value, const Place& place) {
  const bool pair = value.is_array() && value.size() == 2 && finite_number(value[0]) && finite_number(value[1]);
  if (!pair) {
    throw place.error(fmt::format("found {}, expected a range [lo, hi] of two numbers", found_text(value)));
  }
  const Interval range{value[0].get<double>(), value[1].get<double>()};
  if (!(range.low < range.high)) {
    throw place.error(fmt::format("found {}, expected a range [lo, hi] with lo < hi", found_text(value)));
  }
  return range;
}

std::vector<double> read_levels(const Json& value, const Place& place) {
  std::vector<double> levels;
  bool good = value.is_array() && value.size() > 1;
  for (const Json& item : good ? value : Json::array()) {
    good = good && finite_number(item) && item.get<double>() >= 0 && item.get<double>() <= 1 &&
           (levels.empty() || levels.back() <= item.get<double>());
    levels.push_back(good ? item.get<double>() : 0);
  }
  if (!good) {
    throw place.error(fmt::format("found {}, expected ascending fractions of the range, 0 to 1", found_text(value)));
  }
  return levels;
}

/// The items of a list with one for each weight slice.
template <class Item>
auto read_slices(const Json& value, const Place& place, const char* what, Item item) {
  if (!value.is_array() || value.empty()) {
    throw place.error(fmt::format("found {}, expected a list of {}, one per weight slice", found_text(value), what));
  }
  std::vector<decltype(item(value, place))> items;
  for (std::size_t i = 0; i < value.size(); ++i) {
    items.push_back(item(value[i], place / i));
  }
  return items;
}

StoredRanges read_layer(const std::string& name, const Json& entry, const Place& place) {
  check_keys(entry, {"dac", "adc", "levels"}, place);
  StoredRanges ranges;
  ranges.layer = name;
  if (entry.contains("dac")) {
    ranges.dac = read_interval(entry.at("dac"), place / "dac");
  }
  if (entry.contains("adc")) {
    ranges.adc = read_slices(entry.at("adc"), place / "adc", "ranges [lo, hi]", read_interval);
  }
  if (entry.contains("levels")) {
    ranges.levels = read_slices(entry.at("levels"), place / "levels", "lists of levels", read_levels);
  }
  return ranges;
}

Json interval_json(const Interval& range) {
  return Json::array({range.low, range.high});
}

Json layer_json(const StoredRanges& ranges) {
  Json entry = Json::object();
  if (ranges.dac) {
    entry["dac"] = interval_json(*ranges.dac);
  }
  if (!ranges.adc.empty()) {
    entry["adc"] = Json::array();
    for (const Interval& range : ranges.adc) {
      entry["adc"].push_back(interval_json(range));
    }
  }
  if (!ranges.levels.empty()) {
    entry["levels"] = ranges.levels;
  }
  return entry;
}

Id128 content_of(const std::vector<StoredRanges>& layers) {
  Id128 sum;
  for (const StoredRanges& ranges : layers) {
    sum += hash_text(ranges.layer + "=" + canonical_text(layer_json(ranges)));
  }
  return sum;
}

/// Reasons that have to do with the inputs' range.
std::string dac_problem(const std::optional<Interval>& range, const DacConfig& dac) {
  if (!range) {
    return "has no range 'dac'";
  }
  if (range->low < 0 && dac.sign == DacSign::is_unsigned) {
    return "/dac goes below 0, but dac.signed is false";
  }
  if (range->low != 0 && dac.model == ConverterModel::quantizer && dac.slice_bits) {
    return "/dac does not begin at 0, as the digits of dac.slice_bits need with dac.model \"quantizer\"";
  }
  return "";
}

}  // namespace

const StoredRanges* RangeFile::find(std::string_view layer) const {
  const auto found =
      std::find_if(layers.begin(), layers.end(), [&](const StoredRanges& ranges) { return ranges.layer == layer; });
  return found == layers.end() ? nullptr : &*found;
}

RangeFile read_range_file(const std::string& path) {
  const Json document = read_json_file(path);
  const Place top{path, ""};
  check_keys(document, {"format", "provenance", "layers"}, top);
  if (!document.contains("format") || document.at("format") != format_name) {
    throw(top / "format")
        .error(fmt::format("found {}, expected \"{}\"",
                           document.contains("format") ? found_text(document.at("format")) : "nothing", format_name));
  }
  const Place place = top / "layers";
  if (!document.contains("layers") || !document.at("layers").is_object()) {
    throw place.error(fmt::format("found {}, expected an object: layer -> {{\"dac\": [lo, hi], \"adc\": [[lo, hi]]}}",
                                  document.contains("layers") ? found_text(document.at("layers")) : "nothing"));
  }
  RangeFile file;
  file.path = path;
  for (const auto& [name, entry] : document.at("layers").items()) {
    file.layers.push_back(read_layer(name, entry, place / name));
  }
  file.content = content_of(file.layers);
  return file;
}

std::string range_file_text(const std::vector<StoredRanges>& layers, const Json& provenance) {
  // A line per layer: to be compared and edited.
  std::string text =
      fmt::format("{{\n  \"format\": \"{}\",\n  \"provenance\": {},\n  \"layers\": {{", format_name, provenance.dump());
  for (std::size_t k = 0; k < layers.size(); ++k) {
    text += fmt::format("{}\n    {}: {}", k > 0 ? "," : "", Json(layers[k].layer).dump(), layer_json(layers[k]).dump());
  }
  return text + "\n  }\n}\n";
}

void check_layers(const RangeFile& file, const std::vector<MatrixLayer>& layers) {
  std::vector<std::string> names;
  names.reserve(layers.size());
  for (const MatrixLayer& layer : layers) {
    names.push_back(layer.name);
  }
  for (const StoredRanges& ranges : file.layers) {
    if (std::find(names.begin(), names.end(), ranges.layer) != names.end()) {
      continue;
    }
    const std::string nearest = nearest_name(ranges.layer, names);
    throw(Place{file.path, ""} / "layers" / ranges.layer)
        .error(fmt::format("the network has no matrix layer of this name{}(it has: {})",
                           nearest.empty() ? " " : "; did you mean '" + nearest + "'? ", fmt::join(names, ", ")));
  }
}

std::vector<Impossible> range_problems(const RangeFile& file, const LayerHardware& hardware, const MatrixLayer& layer) {
  const CalibrationNeeds needs = calibration_needs(hardware);
  if (!needs.dac && !needs.adc && !needs.levels) {
    return {};
  }
  const Place layers = Place{file.path, ""} / "layers", place = layers / layer.name;
  const StoredRanges* ranges = file.find(layer.name);
  if (ranges == nullptr) {
    return {{layers.text() + ": has no ranges of this layer", {}}};
  }
  std::vector<Impossible> found;
  const auto slices = static_cast<std::size_t>(hardware.core.slices);
  const auto wrong_count = [&](const char* what, std::size_t count) {
    found.push_back({fmt::format("{}: has {} ranges, but core.slices is {}", (place / what).text(), count, slices),
                     {"core.slices"}});
  };
  if (needs.dac) {
    const std::string problem = dac_problem(ranges->dac, hardware.dac);
    if (!problem.empty()) {
      found.push_back({fmt::format("{}{}{}", place.text(), problem.front() == '/' ? "" : ": ", problem), {}});
    }
  }
  if (needs.adc && ranges->adc.empty()) {
    found.push_back({place.text() + ": has no ranges 'adc'", {}});
  } else if (needs.adc && ranges->adc.size() > 1 && ranges->adc.size() != slices) {
    wrong_count("adc", ranges->adc.size());
  }
  if (!needs.levels) {
    return found;
  }
  if (ranges->levels.size() != slices) {
    wrong_count("levels", ranges->levels.size());
  } else if (ranges->levels.front().size() != (std::size_t{1} << hardware.adc.bits)) {
    found.push_back({fmt::format("{}: has {} levels, but adc.bits is {}", (place / "levels" / std::size_t{0}).text(),
                                 ranges->levels.front().size(), hardware.adc.bits),
                     {"adc.bits"}});
  }
  return found;
}

std::vector<LayerRanges> layer_ranges(const RangeFile& file, const std::vector<MatrixLayer>& layers) {
  std::vector<LayerRanges> all;
  for (const MatrixLayer& layer : layers) {
    LayerRanges& ranges = all.emplace_back();
    ranges.dac = {0, 1};
    if (const StoredRanges* stored = file.find(layer.name)) {
      ranges = {stored->dac.value_or(Interval{0, 1}), stored->adc, stored->levels};
    }
  }
  return all;
}

StoredRanges stored_ranges(const std::string& layer, const LayerHardware& hardware, const LayerRanges& ranges) {
  const CalibrationNeeds needs = calibration_needs(hardware);
  StoredRanges stored;
  stored.layer = layer;
  if (needs.dac) {
    stored.dac = ranges.dac;
  }
  if (needs.adc) {
    stored.adc = ranges.adc;
  }
  if (needs.levels) {
    stored.levels = ranges.levels;
  }
  return stored;
}

}  // namespace crossgrid
