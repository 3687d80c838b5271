#include "crossgrid/sweep/parameter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "parameter_rows.hpp"

namespace crossgrid {

const std::vector<Parameter>& parameters() {
  static const std::vector<Parameter> rows = [] {
    std::vector<Parameter> all = core_rows();
    for (auto make : {array_rows, device_rows, converter_rows, layer_rows}) {
      auto more = make();
      std::move(more.begin(), more.end(), std::back_inserter(all));
    }
    return all;
  }();
  return rows;
}

const Parameter* find_parameter(std::string_view path) {
  const auto& rows = parameters();
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const Parameter& row) { return row.path == path; });
  return found == rows.end() ? nullptr : &*found;
}

bool is_parameter_section(std::string_view path) {
  const auto& rows = parameters();
  return std::any_of(rows.begin(), rows.end(), [&](const Parameter& row) {
    return row.path.size() > path.size() && row.path.starts_with(path) && row.path[path.size()] == '.';
  });
}

bool names_file(const Parameter& parameter, const Json& value) {
  const auto& words = parameter.type.words;
  return (parameter.load || parameter.read_file) && value.is_string() &&
         std::find(words.begin(), words.end(), value.get<std::string>()) == words.end();
}

Json result_column(const Parameter& parameter, const Json& value) {
  return names_file(parameter, value) ? Json(std::filesystem::path(value.get<std::string>()).stem().string())
                                      : column_value(value);
}

Error unknown_parameter(const Place& place, const std::string& path) {
  std::vector<std::string> names;
  for (const Parameter& row : parameters()) {
    names.push_back(row.path);
  }
  const std::string nearest = nearest_name(path, names);
  std::string problem = "unknown parameter";
  if (!nearest.empty()) {
    problem += fmt::format("\n  did you mean '{}'?", nearest);
  }
  // The neighbours of what was meant: the members of its section, or the sections where that is unknown too.
  std::string section = nearest.empty() ? path : nearest;
  do {
    section.erase(section.find_last_of('.') == std::string::npos ? 0 : section.find_last_of('.'));
  } while (!section.empty() && !is_parameter_section(section));
  std::vector<std::string> known;
  for (const std::string& name : names) {
    if (!section.empty() && !name.starts_with(section + ".")) {
      continue;
    }
    const std::size_t start = section.empty() ? 0 : section.size() + 1;
    const std::string member = name.substr(0, name.find('.', start));
    if (std::find(known.begin(), known.end(), member) == known.end()) {
      known.push_back(member);
    }
  }
  return place.error(problem + fmt::format("{}(known: {})", nearest.empty() ? "\n  " : " ", fmt::join(known, ", ")));
}

Json parameter_value(const Parameter& parameter, const Json& value, const Place& place) {
  const auto known = canonical_value(parameter.type, value);
  if (!known) {
    const bool says_nothing = value.is_number() && value.get<double>() <= 0 && !parameter.instead_of_zero.empty();
    const std::string hint = says_nothing ? fmt::format("; say {}", parameter.instead_of_zero) : "";
    throw place.error(
        fmt::format("{}: found {}, expected {}{}", parameter.path, found_text(value), describe(parameter.type), hint));
  }
  const auto supported = canonical_value(parameter.supported, *known);
  if (!supported) {
    const bool any = !describe(parameter.supported).empty();
    throw place.error(fmt::format("{}: {} is known, but not yet supported{}", parameter.path, found_text(value),
                                  any ? "; supported now: " + describe(parameter.supported) : ""));
  }
  if (!names_file(parameter, *supported)) {
    return *supported;
  }
  const auto path = supported->get<std::string>();
  if (parameter.read_file) {
    return parameter.read_file(path, place);
  }
  try {
    parameter.load(path);
  } catch (const Error& error) {
    throw place.error(fmt::format("{}: {}", parameter.path, error.what()));
  }
  return *supported;
}

}  // namespace crossgrid
