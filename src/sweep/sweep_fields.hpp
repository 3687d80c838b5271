#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crossgrid/base/json.hpp"

/// What a sweep file holds beside hardware parameters (spec.md section 2, second table).
namespace crossgrid {

struct SweepField {
  std::string path;
  std::string about;
  Json schema;
};

const std::vector<SweepField>& sweep_fields();
const SweepField* find_sweep_field(std::string_view path);
/// Whether the path is a group of fields ("dataset", "hardware", "hardware.adc").
bool is_sweep_section(std::string_view path);
/// Fields and sections of the top level and their dotted members, for suggestions.
std::vector<std::string> sweep_names();

/// Words of enumerated fields.
const std::vector<std::string>& dataset_formats();
const std::vector<std::string>& layouts();  ///< in the order of Layout
const std::vector<std::string>& calibration_methods();
inline constexpr std::int64_t max_side = 1 << 14;  ///< of an image [pixels]
inline constexpr std::int64_t max_trials = 1'000'000;
inline constexpr std::int64_t max_seed = (std::int64_t{1} << 53) - 1;
inline constexpr const char* name_pattern = "^[A-Za-z0-9._-]{1,64}$";

}  // namespace crossgrid
