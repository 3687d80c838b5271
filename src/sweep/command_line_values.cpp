#include "command_line_values.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <set>

#include "absolute_paths.hpp"
#include "crossgrid/sweep/parameter.hpp"
#include "sweep_fields.hpp"

namespace crossgrid {

namespace {

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

/// Paths are beside the one who types them, not beside the sweep.
std::string here() {
  return (std::filesystem::current_path() / "command line").string();
}

DocumentLeaf set_leaf(const std::string& text) {
  const auto [name, value] = split_assignment("--set", text);
  const Place place{"--set " + text, ""};
  const std::string own = name.starts_with("hardware.") ? name.substr(9) : name;
  if (find_parameter(own)) {
    return {"hardware." + own, absolute_paths(own, value_of(value, place.file), here()), place, false};
  }
  if (is_parameter_section(own)) {
    throw place.error(fmt::format("'{0}' is a group of parameters: set its members one by one", own));
  }
  if (!find_sweep_field(name)) {
    const bool section = name.find('.') != std::string::npos && is_parameter_section(name.substr(0, name.find('.')));
    throw section ? unknown_parameter(place, name) : unknown_sweep_name(place, name);
  }
  Json json = value_of(value, place.file);
  if (json.is_object()) {
    throw place.error(fmt::format("an object: set its members one by one, such as --set {}.NAME=VALUE", name));
  }
  if ((name == "network" || name == "dataset.path") && json.is_string()) {
    // Beside the one who types it, not beside the sweep.
    json = std::filesystem::absolute(json.get<std::string>()).lexically_normal().string();
  }
  return {name, json, place, false};
}

DocumentLeaf grid_leaf(const std::string& text) {
  const auto [name, value] = split_assignment("--grid", text);
  const Place place{"--grid " + text, ""};
  if (value.starts_with('{')) {
    return {axis_prefix + name, absolute_paths(name, parse_json(value, place.file), here()), place, false};
  }
  Json list = Json::array();
  for (const std::string& part : split_values(value)) {
    list.push_back(value_of(part, place.file));
  }
  return {axis_prefix + name, absolute_paths(name, list, here()), place, false};
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
