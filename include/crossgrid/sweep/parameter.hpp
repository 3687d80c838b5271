#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "crossgrid/base/json.hpp"
#include "crossgrid/core/layer_hardware.hpp"
#include "crossgrid/network/network.hpp"
#include "crossgrid/sweep/place.hpp"
#include "crossgrid/sweep/value_type.hpp"

/// The table of hardware parameters (spec.md section 2): the parser, the JSON Schema, points' identities and messages
/// are all made from it.
namespace crossgrid {

/// Where a parameter may be set.
enum class ParameterScope {
  anywhere,
  layers_only,   ///< in `layers`, or as an axis `parameter@pattern`
  whole_network  ///< not per layer
};

/// Parameters whose effects depend on each other; those of different groups don't (but for Parameter::decides), so a
/// point's identity is a sum over groups. `analog` decides about all of them.
enum class ParameterGroup {
  none,
  weight_bits,
  clip,
  on_off_ratio,
  cell_bits,
  errors,
  faults,
  rows,
  cols,
  conversion  ///< how weights and inputs meet converters
};
inline constexpr int parameter_group_count = 10;

struct Parameter {
  std::string path;
  std::string about;            ///< one line for users: meaning and unit
  ValueType type;               ///< all values that the specification knows
  ValueType supported;          ///< those that this version simulates
  Json fallback;                ///< the default, canonical; null: none of its own (only unsupported parameters)
  std::string instead_of_zero;  ///< the word to say instead of a number <= 0, empty where there is none
  ParameterScope scope = ParameterScope::anywhere;
  ParameterGroup group = ParameterGroup::none;
  std::vector<ParameterGroup> decides;  ///< other groups in which effects depend on this parameter

  /// Where values may be paths of small files: reads a file (absolute path) into the canonical value. Error(bad_input)
  /// where it is not as it must be.
  std::function<Json(const std::string& path, const Place&)> read_file;
  /// Where values may be paths of files that are kept beside: reads the file, for set() to find.
  std::function<void(const std::string&)> load;
  /// Writes a canonical value into a layer's hardware; empty where only the default is supported.
  std::function<void(LayerHardware&, const Json&)> set;
  /// The canonical value in a layer's hardware.
  std::function<Json(const LayerHardware&)> get;
  /// Why the parameter can't matter in this layer, whatever else is set; empty where it can. May be empty itself.
  std::function<std::string(const MatrixLayer&)> misplaced;
  /// Why the parameter changes nothing in this layer (rule R2), empty where it matters.
  std::function<std::string(const LayerHardware&, const MatrixLayer&)> inert;
};

/// All rows, in the order of the specification. A changed default changes what old ids mean: raise physics_version.
const std::vector<Parameter>& parameters();

/// The row of a path, or null.
const Parameter* find_parameter(std::string_view path);

/// Whether a path is a group of parameters ("adc", "device.drift").
bool is_parameter_section(std::string_view path);

/// Whether a value of this parameter names a file: a path, absolute once a sweep is read.
bool names_file(const Parameter& parameter, const Json& value);

/// The value as a column of results: a file by its name alone, without folder and extension.
Json result_column(const Parameter& parameter, const Json& value);

/// Unknown parameter at a place, with the nearest known one.
Error unknown_parameter(const Place& place, const std::string& path);

/// The canonical form of a value; of a path, what its file holds. Error(bad_input) names what was found and expected,
/// or that this version does not support it yet.
Json parameter_value(const Parameter& parameter, const Json& value, const Place& place);

}  // namespace crossgrid
