#pragma once

#include <string>
#include <vector>

#include "crossgrid/base/json.hpp"
#include "crossgrid/sweep/place.hpp"
#include "crossgrid/sweep/problem_list.hpp"

namespace crossgrid {

/// A sweep document as a flat list: nested or dotted names, with the files that it includes.
struct DocumentLeaf {
  std::string path;  ///< "dataset.path", "hardware.adc.bits"; an axis is "grid/" and its name
  Json value;
  Place place;
  bool included = false;  ///< from an included file: what is written in the including one wins
};

struct Document {
  std::vector<DocumentLeaf> leaves;

  const DocumentLeaf* find(std::string_view path) const;
  /// What the command line says wins over what files say.
  void put_over(DocumentLeaf leaf);
};

/// `file` names the document in messages; paths are relative to its folder. Includes must stay inside that folder's
/// tree unless `allow_outside`. Names that can't be are left out and told in `problems`.
Document flatten_document(const Json& root, const std::string& file, bool allow_outside, ProblemList& problems);

inline constexpr const char* axis_prefix = "grid/";

/// Absolute form of a path that stands in `file`.
std::string path_beside(const std::string& file, const std::string& path);

/// A leaf's value with the paths in it absolute, wherever parameters that name files hide: in axes, named settings and
/// entries of `layers` too. They are relative to the folder of `file`.
Json with_absolute_paths(const std::string& leaf_path, const Json& value, const std::string& file);

/// Unknown name at the top level of a sweep, or in one of its sections.
Error unknown_sweep_name(const Place& place, const std::string& path);

}  // namespace crossgrid
