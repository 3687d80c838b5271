#include "absolute_paths.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "crossgrid/sweep/parameter.hpp"
#include "document.hpp"

namespace crossgrid {

namespace {

Json of_parameter(const Parameter& parameter, const Json& value, const std::string& file) {
  if (value.is_array()) {
    Json list = value;
    for (Json& item : list) {
      item = item.is_string() ? of_parameter(parameter, item, file) : item;
    }
    return list;
  }
  return names_file(parameter, value) ? Json(path_beside(file, value.get<std::string>())) : value;
}

/// Linked names stand between commas.
Json of_tuples(const std::string& names, const Json& tuples, const std::string& file) {
  Json list = tuples;
  for (Json& tuple : list) {
    std::size_t first = 0;
    for (std::size_t k = 0; tuple.is_array() && k < tuple.size() && first < names.size(); ++k) {
      const std::size_t comma = std::min(names.find(',', first), names.size());
      first = std::min(names.find_first_not_of(' ', first), comma);
      tuple[k] = absolute_paths(names.substr(first, comma - first), tuple[k], file);
      first = comma + 1;
    }
  }
  return list;
}

/// An object of parameters, nested or dotted.
Json of_settings(const std::string& prefix, const Json& settings, const std::string& file) {
  Json object = settings;
  for (auto& [key, value] : object.items()) {
    const std::string path = prefix.empty() ? key : fmt::format("{}.{}", prefix, key);
    value = value.is_object() && is_parameter_section(path)  ? of_settings(path, value, file)
            : find_parameter(path.substr(0, path.find('@'))) ? absolute_paths(path, value, file)
                                                             : value;
  }
  return object;
}

}  // namespace

Json absolute_paths(const std::string& name, const Json& value, const std::string& file) {
  if (name.find(',') != std::string::npos) {
    return value.is_array() ? of_tuples(name, value, file) : value;
  }
  std::string own = name.substr(0, name.find('@'));
  own.erase(own.find_last_not_of(' ') + 1);
  if (const Parameter* parameter = find_parameter(own)) {
    return of_parameter(*parameter, value, file);
  }
  Json members = value;
  if (value.is_array() || value.is_object()) {
    for (Json& settings : members) {
      settings = settings.is_object() ? of_settings("", settings, file) : settings;
    }
  }
  return members;
}

}  // namespace crossgrid
