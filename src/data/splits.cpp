#include "crossgrid/data/splits.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "crossgrid/base/json.hpp"

namespace crossgrid {

void check_split_name(const std::string& place, const std::string& split) {
  if (!split.empty() && split != "." && split != ".." && split.find('/') == std::string::npos) return;
  throw input_error(place, fmt::format("found split '{}', expected a name such as test or train", split));
}

Error missing_split(const std::string& place, const std::string& split, const std::vector<std::string>& splits,
                    const std::string& expected) {
  if (splits.empty()) return input_error(place, "found no " + expected);
  const std::string nearest = nearest_name(split, splits);
  return input_error(place, fmt::format("found no split '{}', expected {}{}", split, fmt::join(splits, " or "),
                                        nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest)));
}

std::string debian_hint(const std::string& path) {
  constexpr std::string_view folder = "/usr/share/datasets/";
  if (!path.starts_with(folder)) return "";
  return "; Debian and Ubuntu have it as package dataset-" + path.substr(folder.size());
}

std::string grouped_digits(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t end = text.size(); end > 3; end -= 3) text.insert(end - 3, 1, ',');
  return text;
}

}  // namespace crossgrid
