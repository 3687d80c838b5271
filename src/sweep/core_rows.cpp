#include <fmt/format.h>

#include "crossgrid/core/partition.hpp"
#include "crossgrid/network/matrix_plan.hpp"
#include "parameter_rows.hpp"

namespace crossgrid {

namespace types {

ValueType only(const Json& value) {
  ValueType type;
  if (value.is_string()) {
    type.words = {value.get<std::string>()};
  } else if (value.is_boolean()) {
    type.only_boolean = value.get<bool>();
  } else if (value.is_number_integer()) {
    type.integer = ValueType::Integers{value.get<std::int64_t>(), value.get<std::int64_t>()};
  } else if (value.is_number()) {
    type.number = ValueType::Numbers{.low = value.get<double>(), .high = value.get<double>()};
  }
  return type;
}

}  // namespace types

Parameter future(std::string path, std::string about, ValueType type, Json fallback) {
  Parameter row;
  row.path = std::move(path);
  row.about = std::move(about);
  row.type = std::move(type);
  row.supported = types::only(fallback);
  row.fallback = std::move(fallback);
  return row;
}

namespace {

using Group = ParameterGroup;

std::string unless(bool holds, const char* why) {
  return holds ? "" : why;
}

/// How the sign and the bits of a weight are held.
void add_mapping_rows(std::vector<Parameter>& rows) {
  rows.push_back(choice(
      "core.style", "how the sign of a weight is held: two cells, or one cell and an offset", {"balanced", "offset"},
      [](auto& h) -> auto& { return h.core.style; },
      std::vector<std::pair<std::string, CoreStyle>>{{"balanced", CoreStyle::balanced}, {"offset", CoreStyle::offset}},
      Group::conversion));
  rows.push_back(integer_or_word(
      "core.weight_bits", "bits of a weight, the sign counted", 2, 16, "continuous",
      [](auto& h) -> auto& { return h.core.weight_bits; }, Group::weight_bits));
  rows.push_back(plain<int>(
      "core.slices", "arrays that share the bits of a weight", types::integer(1, 16),
      [](auto& h) -> auto& { return h.core.slices; }, Group::conversion));
  rows.push_back(plain<bool>(
      "core.two_sided", "both cells of a balanced pair move, in opposite directions", types::boolean(),
      [](auto& h) -> auto& { return h.core.two_sided; }, Group::conversion));
  rows.back().inert = [](const LayerHardware& h, const MatrixLayer&) {
    return h.core.style != CoreStyle::balanced ? "core.style is not \"balanced\""
                                               : unless(h.core.slices == 1, "core.slices is more than 1");
  };
  rows.push_back(choice(
      "core.subtract", "where the currents of balanced pairs are subtracted: before one ADC, or after an ADC each",
      {"analog", "digital"}, [](auto& h) -> auto& { return h.core.subtract; },
      std::vector<std::pair<std::string, Subtraction>>{{"analog", Subtraction::analog},
                                                       {"digital", Subtraction::digital}},
      Group::conversion));
  rows.back().inert = [](const LayerHardware& h, const MatrixLayer&) {
    return h.core.style != CoreStyle::balanced ? "core.style is not \"balanced\""
                                               : unless(h.adc.model != ConverterModel::ideal, "adc.model is \"ideal\"");
  };
  rows.push_back(plain<bool>(
      "core.interleaved", "the cells of a balanced pair share a bit line, with word lines of their own",
      types::boolean(), [](auto& h) -> auto& { return h.core.interleaved; }, Group::conversion));
  rows.back().inert = [](const LayerHardware& h, const MatrixLayer&) -> std::string {
    if (h.core.style != CoreStyle::balanced) {
      return "core.style is not \"balanced\"";
    }
    if (h.core.subtract != Subtraction::analog) {
      return "core.subtract is not \"analog\"";
    }
    return unless(h.array.column_current_max.has_value() || h.array.wires.any(),
                  "there is no array.column_current_max, and array.wires.* are 0");
  };
  rows.push_back(plain<bool>(
      "core.unit_column", "the offset comes from a column of the same array, else from the sum of the inputs",
      types::boolean(), [](auto& h) -> auto& { return h.core.unit_column; }, Group::conversion));
  rows.back().inert = [](const LayerHardware& h, const MatrixLayer&) {
    return unless(h.core.style == CoreStyle::offset, "core.style is not \"offset\"");
  };
}

void add_bias_rows(std::vector<Parameter>& rows) {
  rows.push_back(choice(
      "core.bias", "where a bias is added: digitally, or by rows of the arrays", {"digital", "rows"},
      [](auto& h) -> auto& { return h.core.bias_in_rows; },
      std::vector<std::pair<std::string, bool>>{{"digital", false}, {"rows", true}}, Group::rows));
  rows.back().inert = [](const LayerHardware&, const MatrixLayer& layer) -> std::string {
    return layer.bias ? "" : fmt::format("layer '{}' has no bias", layer.name);
  };
  rows.push_back(plain<int>(
      "core.bias_rows", "rows that hold a bias, an equal share each", types::integer(1),
      [](auto& h) -> auto& { return h.core.bias_rows; }, Group::rows));
  rows.back().inert = [](const LayerHardware& h, const MatrixLayer&) {
    return unless(h.core.bias_in_rows, "core.bias is not \"rows\"");
  };
}

}  // namespace

std::vector<Parameter> core_rows() {
  std::vector<Parameter> rows;
  add_mapping_rows(rows);
  Parameter clip;
  clip.path = "core.clip";
  clip.about =
      "weight limit: a quantile of the weights (< 1), a factor of the largest one (1 to 2), {\"limit\": weight}, or "
      "from_model: the largest integer of a quantised model";
  clip.type = {
      .words = {"from_model"}, .number = ValueType::Numbers{.low = 0.5, .high = 2, .low_open = true}, .limit = true};
  clip.supported = clip.type;
  clip.group = Group::clip;
  clip.set = [](LayerHardware& hardware, const Json& json) {
    if (json.is_string()) {
      hardware.core.clip = {WeightClip::Rule::from_model, 1};
      return;
    }
    const bool limit = json.is_object();
    const double value = limit ? json.at("limit").get<double>() : json.get<double>();
    hardware.core.clip.value = value;
    hardware.core.clip.rule = limit       ? WeightClip::Rule::limit
                              : value < 1 ? WeightClip::Rule::quantile
                                          : WeightClip::Rule::factor;
  };
  clip.get = [](const LayerHardware& hardware) {
    const WeightClip& found = hardware.core.clip;
    if (found.rule == WeightClip::Rule::from_model) {
      return Json("from_model");
    }
    return found.rule == WeightClip::Rule::limit ? Json{{"limit", found.value}} : Json(found.value);
  };
  clip.fallback = 1.0;
  rows.push_back(clip);

  add_bias_rows(rows);
  return rows;
}

namespace {

/// Lines of the matrix that arrays share out.
int rows_of(const LayerHardware& hardware, const MatrixLayer& layer) {
  return matrix_rows(layer, hardware);
}
int cols_of(const LayerHardware& hardware, const MatrixLayer& layer) {
  return matrix_cols(layer, hardware);
}
using Lines = int (*)(const LayerHardware&, const MatrixLayer&);

/// rows_max and cols_max.
template <class Access>
Parameter size_row(const std::string& path, const std::string& about, const char* what, Lines size, Access access,
                   ParameterGroup group) {
  Parameter row = integer_or_word(path, about, 1, ValueType::Integers{}.high, "unlimited", access, group);
  row.inert = [access, what, size](const LayerHardware& hardware, const MatrixLayer& layer) -> std::string {
    const std::optional<int>& limit = access(hardware);
    const int lines = size(hardware, layer);
    return limit && *limit >= lines ? fmt::format("layer '{}' has only {} {}", layer.name, lines, what) : "";
  };
  return row;
}

/// rows_partition and cols_partition.
template <class Limit, class Access>
Parameter partition_row(const std::string& path, const std::string& about, Lines size, Limit limit, Access access,
                        ParameterGroup group) {
  using Kind = PartitionRule::Kind;
  Parameter row;
  row.path = path;
  row.about = about;
  row.type = {.words = {"equal", "max"}, .divisors = true};
  row.supported = row.type;
  row.group = group;
  row.set = [access](LayerHardware& hardware, const Json& json) {
    PartitionRule rule;
    if (json.is_array()) {
      rule = {Kind::divisors, json.get<std::vector<int>>()};
    } else {
      rule.kind = json == "max" ? Kind::fill : Kind::equal;
    }
    access(hardware) = rule;
  };
  row.get = [access](const LayerHardware& hardware) {
    const PartitionRule& rule = access(hardware);
    if (rule.kind == Kind::divisors) {
      Json list = Json::array();
      for (const int divisor : rule.divisors) {
        list.push_back(static_cast<std::int64_t>(divisor));
      }
      return list;
    }
    return Json(rule.kind == Kind::fill ? "max" : "equal");
  };
  row.fallback = "equal";
  row.inert = [limit, size, access](const LayerHardware& hardware, const MatrixLayer& layer) -> std::string {
    const auto parts = [&](const PartitionRule& rule) {
      return partition(size(hardware, layer), limit(hardware), rule);
    };
    const auto equal = parts({});
    if (equal.size() == 1) {
      return fmt::format("layer '{}' is not split", layer.name);
    }
    return equal == parts(access(hardware)) ? fmt::format("layer '{}' is split the same way by \"equal\"", layer.name)
                                            : "";
  };
  return row;
}

Parameter rows_active_row() {
  Parameter row = integer_or_word(
      "array.rows_active", "rows that are driven at once; each group has a conversion of its own", 1,
      ValueType::Integers{}.high, "all", [](auto& h) -> auto& { return h.array.rows_active; }, Group::rows);
  row.inert = [](const LayerHardware& h, const MatrixLayer& layer) -> std::string {
    const auto parts = partition(rows_of(h, layer), h.array.rows_max, h.array.rows_partition);
    const int most = parts.front().count;
    return h.array.rows_active && *h.array.rows_active >= most
               ? fmt::format("arrays of layer '{}' have only {} rows", layer.name, most)
               : "";
  };
  return row;
}

Parameter column_current_row() {
  Parameter row;
  row.path = "array.column_current_max";
  row.about = "largest column current, in cell currents at g = 1, x = 1";
  row.type = {.words = {"unlimited"}, .number = ValueType::Numbers{.low = 0, .low_open = true}};
  row.supported = row.type;
  row.group = Group::conversion;
  row.instead_of_zero = "\"unlimited\"";
  row.set = [](LayerHardware& hardware, const Json& json) {
    hardware.array.column_current_max = json.is_string() ? std::nullopt : std::optional<double>(json.get<double>());
  };
  row.get = [](const LayerHardware& hardware) {
    const auto& most = hardware.array.column_current_max;
    return most ? Json(*most) : Json("unlimited");
  };
  row.fallback = "unlimited";
  return row;
}

/// Whether an array of the layer has rows that its matrix leaves free.
bool leaves_rows_free(const LayerHardware& h, const MatrixLayer& layer) {
  if (!h.array.rows_max) {
    return false;
  }
  const auto parts = partition(rows_of(h, layer), h.array.rows_max, h.array.rows_partition);
  return std::ranges::any_of(parts, [&](const Part& part) { return part.count < *h.array.rows_max; });
}

void add_wire_rows(std::vector<Parameter>& rows) {
  const auto wire = [&](const char* name, const char* about, double WiresConfig::*resistance) {
    rows.push_back(plain<double>(
        std::string("array.wires.") + name, about,
        types::at_least(0), [resistance](auto& h) -> auto& { return h.array.wires.*resistance; }, Group::conversion));
    rows.back().decides = {Group::errors, Group::rows};  // device.r_min, read noise; used_rows
  };
  wire("r_row", "resistance of a word line's segment, from the driver to the first cell and between cells, in ohm",
       &WiresConfig::r_row);
  wire("r_col", "resistance of a bit line's segment, between cells and from the last cell to the ADC, in ohm",
       &WiresConfig::r_col);
  wire("r_row_end", "resistance of a driver, in series with its word line, in ohm", &WiresConfig::r_row_end);
  wire("r_col_end", "resistance of an ADC's input, in series with its bit line, in ohm", &WiresConfig::r_col_end);
  const auto without_wires = [](const LayerHardware& h) { return unless(h.array.wires.any(), "array.wires.* are 0"); };
  rows.push_back(choice(
      "array.wires.source", "whether word lines drive the cells, or gate them and supply lines of r_row drive them",
      {"input", "separate"}, [](auto& h) -> auto& { return h.array.wires.source; },
      std::vector<std::pair<std::string, WireSource>>{{"input", WireSource::input}, {"separate", WireSource::separate}},
      Group::conversion));
  rows.back().decides = {Group::errors, Group::rows};
  rows.back().inert = [=](const LayerHardware& h, const MatrixLayer&) { return without_wires(h); };
  rows.push_back(choice(
      "array.wires.used_rows", "which rows of a larger array a matrix takes, where supply lines drive the cells",
      {"top", "bottom"}, [](auto& h) -> auto& { return h.array.wires.used_rows; },
      std::vector<std::pair<std::string, UsedRows>>{{"top", UsedRows::top}, {"bottom", UsedRows::bottom}},
      Group::rows));
  rows.back().inert = [=](const LayerHardware& h, const MatrixLayer& layer) -> std::string {
    if (!h.array.wires.any()) {
      return without_wires(h);
    }
    if (h.array.wires.source != WireSource::separate) {
      return "array.wires.source is \"input\"";
    }
    return leaves_rows_free(h, layer) ? "" : fmt::format("the arrays of layer '{}' have no row to spare", layer.name);
  };
  rows.push_back(choice(
      "array.wires.read_noise", "whether read noise between wires is taken to first order, or each draw solved anew",
      {"first_order", "exact"}, [](auto& h) -> auto& { return h.array.wires.read_noise; },
      std::vector<std::pair<std::string, WireNoise>>{{"first_order", WireNoise::first_order},
                                                     {"exact", WireNoise::exact}},
      Group::errors));
  rows.back().inert = [=](const LayerHardware& h, const MatrixLayer&) -> std::string {
    if (!h.array.wires.any()) {
      return without_wires(h);
    }
    if (!h.device.read_noise.active()) {
      return "there is no read noise";
    }
    return h.array.wires.source == WireSource::separate || h.device.iv != IvModel::linear
               ? "gated and nonlinear cells are solved anew for every draw"
               : "";
  };
}

}  // namespace

std::vector<Parameter> array_rows() {
  const auto rows_max = [](auto& h) -> auto& {
    return h.array.rows_max;
  };
  const auto cols_max = [](auto& h) -> auto& {
    return h.array.cols_max;
  };
  std::vector<Parameter> rows;
  rows.push_back(
      size_row("array.rows_max", "most inputs of an array, in cells", "rows", rows_of, rows_max, Group::rows));
  rows.back().inert = [otherwise = rows.back().inert](const LayerHardware& h, const MatrixLayer& layer) {
    // Lines run past the rows that a matrix leaves free.
    const bool gated = h.array.wires.any() && h.array.wires.source == WireSource::separate;
    return gated && leaves_rows_free(h, layer) ? "" : otherwise(h, layer);
  };
  rows.push_back(
      size_row("array.cols_max", "most outputs of an array, in cells", "columns", cols_of, cols_max, Group::cols));
  rows.push_back(partition_row(
      "array.rows_partition", "how rows are shared out to arrays", rows_of, rows_max,
      [](auto& h) -> auto& { return h.array.rows_partition; }, Group::rows));
  rows.push_back(partition_row(
      "array.cols_partition", "how columns are shared out to arrays", cols_of, cols_max,
      [](auto& h) -> auto& { return h.array.cols_partition; }, Group::cols));
  rows.push_back(rows_active_row());
  rows.push_back(column_current_row());
  add_wire_rows(rows);
  return rows;
}

}  // namespace crossgrid
