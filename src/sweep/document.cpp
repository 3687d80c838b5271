#include "document.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "crossgrid/sweep/parameter.hpp"
#include "sweep_fields.hpp"

namespace crossgrid {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view hardware_prefix = "hardware.";

/// "dataset.images" and "dataset.images.count" can't both hold.
bool conflicts(const std::string& a, const std::string& b) {
  return a == b || a.starts_with(b + ".") || b.starts_with(a + ".");
}

void add_leaf(std::vector<DocumentLeaf>& leaves, DocumentLeaf leaf) {
  for (std::size_t i = 0; i < leaves.size();) {
    if (!conflicts(leaves[i].path, leaf.path)) {
      ++i;
    } else if (!leaves[i].included && !leaf.included) {
      throw leaf.place.error(fmt::format("'{}' is set twice, here and at {} (nested and dotted names mean the same)",
                                         leaf.path, leaves[i].place.text()));
    } else if (leaf.included && !leaves[i].included) {
      return;
    } else if (leaves[i].path == leaf.path) {
      leaves[i] = std::move(leaf);
      return;
    } else {
      leaves.erase(leaves.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  leaves.push_back(std::move(leaf));
}

/// A value of the parameter `name` ("device.model", "device.model@/conv*").
Json absolute_value(const std::string& name, const Json& value, const std::string& file) {
  const Parameter* parameter = find_parameter(std::string_view(name).substr(0, name.find('@')));
  return parameter && names_file(*parameter, value) ? Json(path_beside(file, value.get<std::string>())) : value;
}

/// An object of parameters, nested or dotted.
Json absolute_members(const Json& object, const std::string& prefix, const std::string& file) {
  if (!object.is_object()) {
    return object;
  }
  Json members = Json::object();
  for (const auto& [key, value] : object.items()) {
    const std::string path = prefix.empty() ? key : fmt::format("{}.{}", prefix, key);
    members[key] = is_parameter_section(path) ? absolute_members(value, path, file) : absolute_value(path, value, file);
  }
  return members;
}

/// Values of an axis: a list, lists of linked parameters, or named settings.
Json absolute_axis(const std::string& name, const Json& value, const std::string& file) {
  if (value.is_object()) {
    Json settings = Json::object();
    for (const auto& [label, object] : value.items()) {
      settings[label] = absolute_members(object, "", file);
    }
    return settings;
  }
  if (!value.is_array()) {
    return value;
  }
  std::vector<std::string> names;
  for (std::size_t first = 0; first <= name.size();) {
    const std::size_t comma = std::min(name.find(',', first), name.size());
    first = std::min(name.find_first_not_of(' ', first), comma);
    names.push_back(name.substr(first, name.find_last_not_of(' ', comma - 1) + 1 - first));
    first = comma + 1;
  }
  Json list = Json::array();
  for (const Json& item : value) {
    Json made = names.size() == 1 ? absolute_value(name, item, file) : item;
    for (std::size_t k = 0; names.size() > 1 && made.is_array() && k < made.size() && k < names.size(); ++k) {
      made[k] = absolute_value(names[k], made[k], file);
    }
    list.push_back(std::move(made));
  }
  return list;
}

class Flattener {
 public:
  Flattener(const std::string& file, bool allow_outside, ProblemList& problems)
      : tree_(fs::weakly_canonical(fs::absolute(file).parent_path())),
        allow_outside_(allow_outside),
        problems_(problems) {
    open_.push_back(fs::weakly_canonical(fs::absolute(file)));
  }

  std::vector<DocumentLeaf> object(const Json& object, const std::string& prefix, const Place& place) {
    std::vector<DocumentLeaf> leaves;
    if (object.contains("include")) {
      problems_.attempt([&] {
        for (DocumentLeaf& leaf : included(object.at("include"), prefix, place / "include")) {
          add_leaf(leaves, std::move(leaf));
        }
      });
    }
    for (const auto& item : object.items()) {
      if (item.key() == "include") {
        continue;
      }
      const std::string path = prefix == axis_prefix ? prefix + item.key()
                               : prefix.empty()      ? item.key()
                                                     : fmt::format("{}.{}", prefix, item.key());
      problems_.attempt([&] { member(leaves, path, item.value(), place / item.key()); });
    }
    return leaves;
  }

 private:
  void member(std::vector<DocumentLeaf>& leaves, const std::string& path, const Json& value, const Place& place) {
    const bool section = path == "grid" || is_sweep_section(path);
    if (section && value.is_object()) {
      for (DocumentLeaf& leaf : object(value, path == "grid" ? axis_prefix : path, place)) {
        add_leaf(leaves, std::move(leaf));
      }
      return;
    }
    if (path.starts_with(axis_prefix) || find_sweep_field(path) || is_parameter(path)) {
      add_leaf(leaves, {path, with_absolute_paths(path, value, place.file), place, false});
      return;
    }
    if (section) {
      throw place.error(fmt::format("'{}': found {}, expected an object", path, found_text(value)));
    }
    throw unknown_sweep_name(place, path);
  }

  static bool is_parameter(const std::string& path) {
    return path.starts_with(hardware_prefix) && find_parameter(std::string_view(path).substr(hardware_prefix.size()));
  }

  std::vector<DocumentLeaf> included(const Json& value, const std::string& prefix, const Place& place) {
    if (!value.is_string() || value.get_ref<const std::string&>().empty()) {
      throw place.error(fmt::format("found {}, expected the path of a JSON file", found_text(value)));
    }
    const fs::path shown = (fs::path(place.file).parent_path() / value.get<std::string>()).lexically_normal();
    const fs::path real = fs::weakly_canonical(fs::absolute(shown));
    check_inside(real, place);
    if (std::find(open_.begin(), open_.end(), real) != open_.end()) {
      throw place.error(fmt::format("{} includes itself", shown.string()));
    }
    Json content;
    try {
      content = read_json_file(shown.string());
    } catch (const Error& error) {
      throw place.error(fmt::format("included file: {}", error.what()));
    }
    const Place inside{shown.string(), ""};
    if (!content.is_object()) {
      throw inside.error(fmt::format("found {}, expected an object", found_text(content)));
    }
    open_.push_back(real);
    std::vector<DocumentLeaf> leaves = object(content, prefix, inside);
    open_.pop_back();
    for (DocumentLeaf& leaf : leaves) {
      leaf.included = true;
    }
    return leaves;
  }

  void check_inside(const fs::path& real, const Place& place) const {
    const auto [end, at] = std::mismatch(tree_.begin(), tree_.end(), real.begin(), real.end());
    if (!allow_outside_ && end != tree_.end()) {
      throw place.error(fmt::format("{} lies outside the sweep's folder {}; move it there, or say --allow-outside",
                                    real.string(), tree_.string()));
    }
  }

  fs::path tree_;
  bool allow_outside_;
  ProblemList& problems_;
  std::vector<fs::path> open_;  // files being read, outermost first
};

}  // namespace

const DocumentLeaf* Document::find(std::string_view path) const {
  const auto found =
      std::find_if(leaves.begin(), leaves.end(), [&](const DocumentLeaf& leaf) { return leaf.path == path; });
  return found == leaves.end() ? nullptr : &*found;
}

void Document::put_over(DocumentLeaf leaf) {
  for (DocumentLeaf& other : leaves) {
    other.included = true;
  }
  add_leaf(leaves, std::move(leaf));
}

Document flatten_document(const Json& root, const std::string& file, bool allow_outside, ProblemList& problems) {
  if (!root.is_object()) {
    throw input_error(file, fmt::format("found {}, expected an object: a sweep", found_text(root)));
  }
  return {Flattener(file, allow_outside, problems).object(root, "", {file, ""})};
}

std::string path_beside(const std::string& file, const std::string& path) {
  return (fs::absolute(file).parent_path() / path).lexically_normal().string();
}

Json with_absolute_paths(const std::string& leaf_path, const Json& value, const std::string& file) {
  if (leaf_path == "network" || leaf_path == "dataset.path" || leaf_path == "calibration.file") {
    return value.is_string() ? Json(path_beside(file, value.get<std::string>())) : value;
  }
  if (leaf_path.starts_with(hardware_prefix)) {
    return absolute_value(leaf_path.substr(hardware_prefix.size()), value, file);
  }
  if (leaf_path.starts_with(axis_prefix)) {
    return absolute_axis(leaf_path.substr(std::string_view(axis_prefix).size()), value, file);
  }
  if (leaf_path != "layers" || !value.is_array()) {
    return value;
  }
  Json layers = Json::array();
  for (const Json& entry : value) {
    layers.push_back(absolute_members(entry, "", file));
  }
  return layers;
}

Error unknown_sweep_name(const Place& place, const std::string& path) {
  if (path.starts_with(hardware_prefix)) {
    return unknown_parameter(place, path.substr(hardware_prefix.size()));
  }
  if (find_parameter(path) || is_parameter_section(path)) {
    return place.error(fmt::format("'{}' belongs in 'hardware'", path));
  }
  const std::vector<std::string> names = sweep_names();
  const std::string nearest = nearest_name(path, names);
  std::string section = path.substr(0, path.rfind('.') + 1);
  if (!is_sweep_section(section.substr(0, section.size() - std::min<std::size_t>(1, section.size())))) {
    section.clear();
  }
  std::vector<std::string> known;
  for (const std::string& name : names) {
    const bool member = name.starts_with(section) && name.find('.', section.size()) == std::string::npos;
    if (member && name.size() > section.size()) {
      known.push_back(name);
    }
  }
  return place.error(fmt::format("unknown key{}(known: {})",
                                 nearest.empty() ? "\n  " : "\n  did you mean '" + nearest + "'? ",
                                 fmt::join(known, ", ")));
}

}  // namespace crossgrid
