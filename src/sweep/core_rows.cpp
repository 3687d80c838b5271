#include <fmt/format.h>

#include "crossgrid/core/partition.hpp"
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

std::vector<Parameter> core_rows() {
  using Group = ParameterGroup;
  std::vector<Parameter> rows;
  rows.push_back(choice(
      "core.style", "how the sign of a weight is held: two cells, or one cell and an offset", {"balanced", "offset"},
      [](auto& h) -> auto& { return h.core.style; },
      std::vector<std::pair<std::string, CoreStyle>>{{"balanced", CoreStyle::balanced}, {"offset", CoreStyle::offset}},
      Group::style));
  rows.push_back(integer_or_word(
      "core.weight_bits", "bits of a weight, the sign counted", 2, 16, "continuous",
      [](auto& h) -> auto& { return h.core.weight_bits; }, Group::weight_bits));
  rows.push_back(future("core.slices", "arrays that share the bits of a weight", types::integer(1, 16), 1));
  Parameter two_sided = plain<bool>(
      "core.two_sided", "both cells of a balanced pair move, in opposite directions", types::boolean(),
      [](auto& h) -> auto& { return h.core.two_sided; }, Group::style);
  two_sided.inert = [](const LayerHardware& hardware, const MatrixLayer&) {
    return hardware.core.style == CoreStyle::balanced ? "" : "core.style is not \"balanced\"";
  };
  rows.push_back(two_sided);
  rows.push_back(future("core.subtract", "where the currents of balanced arrays are subtracted",
                        types::words({"analog", "digital"}), "analog"));
  rows.push_back(future("core.interleaved", "the cells of a balanced pair share a bit line", types::boolean(), false));
  rows.push_back(
      future("core.unit_column", "the offset comes from a column of the same array", types::boolean(), false));

  Parameter clip;
  clip.path = "core.clip";
  clip.about =
      "weight limit: a quantile of the weights (< 1), a factor of the largest one (>= 1), or {\"limit\": weight}";
  clip.type = {.number = ValueType::Numbers{.low = 0.5, .low_open = true}, .limit = true};
  clip.supported = clip.type;
  clip.group = Group::clip;
  clip.set = [](LayerHardware& hardware, const Json& json) {
    const bool limit = json.is_object();
    const double value = limit ? json.at("limit").get<double>() : json.get<double>();
    hardware.core.clip.value = value;
    hardware.core.clip.rule = limit       ? WeightClip::Rule::limit
                              : value < 1 ? WeightClip::Rule::quantile
                                          : WeightClip::Rule::factor;
  };
  clip.get = [](const LayerHardware& hardware) {
    const WeightClip& found = hardware.core.clip;
    return found.rule == WeightClip::Rule::limit ? Json{{"limit", found.value}} : Json(found.value);
  };
  clip.fallback = 1.0;
  rows.push_back(clip);

  rows.push_back(future("core.bias", "where a bias is added", types::words({"digital", "rows"}), "digital"));
  rows.push_back(future("core.bias_rows", "rows that hold a bias", types::integer(1), 1));
  return rows;
}

namespace {

using Partitions = std::vector<std::pair<std::string, PartitionRule>>;

/// rows_max and cols_max.
template <class Access>
Parameter size_row(const std::string& path, const std::string& about, const char* what, int MatrixLayer::*size,
                   Access access, ParameterGroup group) {
  Parameter row = integer_or_word(path, about, 1, ValueType::Integers{}.high, "unlimited", access, group);
  row.inert = [access, what, size](const LayerHardware& hardware, const MatrixLayer& layer) -> std::string {
    const std::optional<int>& limit = access(hardware);
    return limit && *limit >= layer.*size ? fmt::format("layer '{}' has only {} {}", layer.name, layer.*size, what)
                                          : "";
  };
  return row;
}

/// rows_partition and cols_partition.
template <class Limit, class Access>
Parameter partition_row(const std::string& path, const std::string& about, int MatrixLayer::*size, Limit limit,
                        Access access, ParameterGroup group) {
  Parameter row = choice(path, about, {"equal", "max"}, access,
                         Partitions{{"equal", PartitionRule::equal}, {"max", PartitionRule::fill}}, group);
  row.type.divisors = true;
  row.inert = [limit, size](const LayerHardware& hardware, const MatrixLayer& layer) -> std::string {
    const auto parts = [&](PartitionRule rule) { return partition(layer.*size, limit(hardware), rule); };
    const auto equal = parts(PartitionRule::equal);
    if (equal.size() == 1) {
      return fmt::format("layer '{}' is not split", layer.name);
    }
    return equal == parts(PartitionRule::fill)
               ? fmt::format("layer '{}' is split the same way by both rules", layer.name)
               : "";
  };
  return row;
}

}  // namespace

std::vector<Parameter> array_rows() {
  const auto rows_max = [](auto& h) -> auto& {
    return h.array.rows_max;
  };
  const auto cols_max = [](auto& h) -> auto& {
    return h.array.cols_max;
  };
  using Group = ParameterGroup;
  std::vector<Parameter> rows;
  rows.push_back(size_row("array.rows_max", "most inputs of an array, in cells", "rows", &MatrixLayer::rows, rows_max,
                          Group::rows));
  rows.push_back(size_row("array.cols_max", "most outputs of an array, in cells", "columns", &MatrixLayer::cols,
                          cols_max, Group::cols));
  rows.push_back(partition_row(
      "array.rows_partition", "how rows are shared out to arrays", &MatrixLayer::rows, rows_max,
      [](auto& h) -> auto& { return h.array.rows_partition; }, Group::rows));
  rows.push_back(partition_row(
      "array.cols_partition", "how columns are shared out to arrays", &MatrixLayer::cols, cols_max,
      [](auto& h) -> auto& { return h.array.cols_partition; }, Group::cols));
  rows.push_back(future("array.rows_active", "rows that are driven at once",
                        types::integer_or(1, ValueType::Integers{}.high, "all"), "all"));
  rows.push_back(future("array.column_current_max", "largest column current, in cell currents",
                        {.words = {"unlimited"}, .number = ValueType::Numbers{.low = 0, .low_open = true}},
                        "unlimited"));
  for (const char* name : {"r_row", "r_col", "r_row_end", "r_col_end"}) {
    rows.push_back(future(std::string("array.wires.") + name, "wire resistance in ohm", types::at_least(0), 0.0));
  }
  rows.push_back(
      future("array.wires.source", "where a cell's current comes from", types::words({"input", "separate"}), "input"));
  rows.push_back(
      future("array.wires.used_rows", "which rows a smaller matrix takes", types::words({"top", "bottom"}), "top"));
  rows.push_back(future("array.wires.read_noise", "how read noise meets wires", types::words({"first_order", "exact"}),
                        "first_order"));
  return rows;
}

}  // namespace crossgrid
