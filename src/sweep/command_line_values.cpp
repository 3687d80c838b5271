#include "command_line_values.hpp"

#include <fmt/format.h>

#include <set>

#include "crossgrid/sweep/parameter.hpp"
#include "sweep_fields.hpp"

namespace crossgrid {

namespace {

/// A file in the current folder: paths on the command line are beside the one who types them, not beside the sweep.
constexpr const char* typed_here = "command line";

/// "name=value".
std::pair<std::string, std::string> split_assignment(const std::string& flag, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos) {
    throw Error(ExitCode::usage, fmt::format("{} {}: expected NAME=VALUE, such as {} adc.bits=6", flag, text, flag));
  }
  return {text.substr(0, equals), text.substr(equals + 1)};
}

bool looks_like_json(const std::string& text) {
  return text.find_first_of("{[\"") == 0 || text.find_first_of("-0123456789") == 0 || text == "true" ||
         text == "false" || text == "null";
}

/// JSON where it is, else a word.
Json value_of(const std::string& text, const std::string& place) {
  if (!looks_like_json(text)) {
    return Json(text);
  }
  try {
    return parse_json(text, place);
  } catch (const Error&) {
    // A word may begin with a digit or a sign ("2-bit"); brackets and quotes can only be broken JSON.
    if (text.find_first_of("{[\"") == 0) {
      throw;
    }
    return Json(text);
  }
}

/// Splits at commas outside brackets and quotes.
std::vector<std::string> split_values(const std::string& text) {
  std::vector<std::string> parts(1);
  int depth = 0;
  bool quoted = false;
  for (const char c : text) {
    quoted = quoted != (c == '"');
    depth += !quoted && (c == '[' || c == '{') ? 1 : !quoted && (c == ']' || c == '}') ? -1 : 0;
    if (c == ',' && depth == 0 && !quoted) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

DocumentLeaf set_leaf(const std::string& text) {
  const auto [name, value] = split_assignment("--set", text);
  const Place place{"--set " + text, ""};
  const std::string own = name.starts_with("hardware.") ? name.substr(9) : name;
  if (find_parameter(own)) {
    const std::string path = "hardware." + own;
    return {path, with_absolute_paths(path, value_of(value, place.file), typed_here), place, false};
  }
  if (is_parameter_section(own)) {
    throw place.error(fmt::format("'{0}' is a group of parameters: set its members one by one", own));
  }
  if (!find_sweep_field(name)) {
    const bool section = name.find('.') != std::string::npos && is_parameter_section(name.substr(0, name.find('.')));
    throw section ? unknown_parameter(place, name) : unknown_sweep_name(place, name);
  }
  const Json json = value_of(value, place.file);
  if (json.is_object()) {
    throw place.error(fmt::format("an object: set its members one by one, such as --set {}.NAME=VALUE", name));
  }
  return {name, with_absolute_paths(name, json, typed_here), place, false};
}

DocumentLeaf grid_leaf(const std::string& text) {
  const auto [name, value] = split_assignment("--grid", text);
  const Place place{"--grid " + text, ""};
  const std::string path = axis_prefix + name;
  if (value.starts_with('{')) {
    return {path, with_absolute_paths(path, parse_json(value, place.file), typed_here), place, false};
  }
  Json list = Json::array();
  for (const std::string& part : split_values(value)) {
    list.push_back(value_of(part, place.file));
  }
  return {path, with_absolute_paths(path, list, typed_here), place, false};
}

}  // namespace

std::vector<DocumentLeaf> command_line_leaves(const SweepOverrides& overrides) {
  std::vector<DocumentLeaf> leaves;
  for (const std::string& text : overrides.set) {
    leaves.push_back(set_leaf(text));
  }
  for (const std::string& text : overrides.grid) {
    leaves.push_back(grid_leaf(text));
  }
  std::set<std::string> seen;
  for (const DocumentLeaf& leaf : leaves) {
    if (!seen.insert(leaf.path).second) {
      throw leaf.place.error("said twice on the command line");
    }
  }
  return leaves;
}

}  // namespace crossgrid
