#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "parameter_rows.hpp"

namespace crossgrid {

namespace {

using Group = ParameterGroup;
using Models = std::vector<std::pair<std::string, ConverterModel>>;
const Models dac_models{{"ideal", ConverterModel::ideal},
                        {"quantizer", ConverterModel::quantizer},
                        {"sign_magnitude", ConverterModel::sign_magnitude},
                        {"pulse_width", ConverterModel::pulse_width}};
const Models adc_models{{"ideal", ConverterModel::ideal},
                        {"quantizer", ConverterModel::quantizer},
                        {"sign_magnitude", ConverterModel::sign_magnitude},
                        {"levels", ConverterModel::levels},
                        {"ramp", ConverterModel::ramp},
                        {"sar", ConverterModel::sar},
                        {"pipeline", ConverterModel::pipeline},
                        {"cyclic", ConverterModel::cyclic},
                        {"table", ConverterModel::table}};

Interval interval_of(const Json& json) {
  return {json.at(0).get<double>(), json.at(1).get<double>()};
}
Json json_of(const Interval& interval) {
  return Json::array({interval.low, interval.high});
}

using RangeWords = std::vector<std::pair<std::string, RangeRule>>;

RangeRule rule_of(const RangeWords& words, const Json& json) {
  for (const auto& [word, rule] : words) {
    if (json == word) {
      return rule;
    }
  }
  return RangeRule::fixed;
}

std::optional<Json> word_of(const RangeWords& words, RangeRule rule) {
  for (const auto& [word, known] : words) {
    if (known == rule) {
      return Json(word);
    }
  }
  return std::nullopt;
}

/// dac.range and adc.range without their values: words, or numbers that are held elsewhere.
Parameter range_row(const std::string& path, const std::string& about, ValueType type, const RangeWords& words) {
  Parameter row;
  row.path = path;
  row.about = about;
  row.type = std::move(type);
  for (const auto& [word, rule] : words) {
    row.type.words.push_back(word);
  }
  row.supported = row.type;
  row.group = Group::conversion;
  row.fallback = "calibrated";
  return row;
}

Parameter dac_range_row() {
  const RangeWords words{{"calibrated", RangeRule::calibrated},
                         {"per_vector", RangeRule::per_vector},
                         {"from_model", RangeRule::from_model}};
  Parameter row = range_row("dac.range",
                            "range of the inputs in the layer's units; per_vector: each vector's own; from_model: of "
                            "a quantised model's integers",
                            {.interval = true}, words);
  row.set = [words](LayerHardware& hardware, const Json& json) {
    hardware.dac.range = rule_of(words, json);
    hardware.dac.fixed_range = json.is_array() ? interval_of(json) : Interval{};
  };
  row.get = [words](const LayerHardware& hardware) {
    return word_of(words, hardware.dac.range).value_or(json_of(hardware.dac.fixed_range));
  };
  return row;
}

Parameter adc_range_row() {
  const RangeWords words{
      {"calibrated", RangeRule::calibrated}, {"max", RangeRule::maximum}, {"granular", RangeRule::granular}};
  Parameter row = range_row("adc.range", "range of the outputs in cell currents; a list: by weight slice",
                            {.interval = true, .intervals = true}, words);
  row.set = [words](LayerHardware& hardware, const Json& json) {
    hardware.adc.range = rule_of(words, json);
    hardware.adc.fixed_ranges.clear();
    if (json.is_array() && json.at(0).is_array()) {
      for (const Json& range : json) {
        hardware.adc.fixed_ranges.push_back(interval_of(range));
      }
    } else if (json.is_array()) {
      hardware.adc.fixed_ranges = {interval_of(json)};
    }
  };
  row.get = [words](const LayerHardware& hardware) {
    const auto& ranges = hardware.adc.fixed_ranges;
    if (ranges.size() == 1) {
      return json_of(ranges.front());
    }
    Json list = Json::array();
    for (const Interval& range : ranges) {
      list.push_back(json_of(range));
    }
    return word_of(words, hardware.adc.range).value_or(list);
  };
  return row;
}

/// Why the scale of a DAC's inputs can't be seen, empty where it can. An ideal DAC only scales: a calibrated ADC scales
/// with it, an ideal one does not care, but a range or a table in cell currents does.
std::string scale_is_inert(const LayerHardware& hardware) {
  if (hardware.dac.model != ConverterModel::ideal) {
    return "";
  }
  if (hardware.adc.model == ConverterModel::ideal) {
    return "dac.model and adc.model are \"ideal\"";
  }
  const bool one_scale = hardware.adc.range == RangeRule::calibrated && hardware.dac.range != RangeRule::per_vector &&
                         hardware.adc.bound_management == 0 && hardware.adc.model != ConverterModel::table;
  return one_scale ? "dac.model is \"ideal\" and adc.range is \"calibrated\"" : "";
}

std::vector<Parameter> dac_rows() {
  std::vector<Parameter> rows;
  rows.push_back(choice(
      "dac.model", "how inputs become voltages", {"ideal", "quantizer", "sign_magnitude", "pulse_width"},
      [](auto& h) -> auto& { return h.dac.model; }, dac_models, Group::conversion));
  Parameter bits = plain<int>(
      "dac.bits", "resolution of the inputs", types::integer(1, 16), [](auto& h) -> auto& { return h.dac.bits; },
      Group::conversion);
  bits.instead_of_zero = "dac.model \"ideal\"";
  bits.inert = [](const LayerHardware& hardware, const MatrixLayer&) {
    return hardware.dac.model == ConverterModel::ideal ? "dac.model is \"ideal\"" : "";
  };
  rows.push_back(bits);

  Parameter sign;
  sign.path = "dac.signed";
  sign.about = "whether inputs may be negative; auto: where the range goes below 0";
  sign.type = {.words = {"auto"}, .boolean = true};
  sign.supported = sign.type;
  sign.group = Group::conversion;
  sign.set = [](LayerHardware& hardware, const Json& json) {
    hardware.dac.sign = json.is_string()   ? DacSign::automatic
                        : json.get<bool>() ? DacSign::is_signed
                                           : DacSign::is_unsigned;
  };
  sign.get = [](const LayerHardware& hardware) {
    return hardware.dac.sign == DacSign::automatic ? Json("auto") : Json(hardware.dac.sign == DacSign::is_signed);
  };
  sign.fallback = "auto";
  sign.inert = [](const LayerHardware& hardware, const MatrixLayer&) { return scale_is_inert(hardware); };
  rows.push_back(sign);

  rows.push_back(dac_range_row());
  rows.back().inert = [](const LayerHardware& hardware, const MatrixLayer&) { return scale_is_inert(hardware); };
  rows.push_back(integer_or_word(
      "dac.slice_bits", "bits of an input that are sent at once", 1, 16, "unsliced",
      [](auto& h) -> auto& { return h.dac.slice_bits; }, Group::conversion));
  rows.back().inert = [](const LayerHardware& hardware, const MatrixLayer&) -> std::string {
    if (hardware.dac.model == ConverterModel::ideal) {
      return "dac.model is \"ideal\"";
    }
    if (hardware.dac.model == ConverterModel::pulse_width) {
      return "an input is one pulse (dac.model \"pulse_width\")";
    }
    const int magnitude = hardware.dac.bits - (hardware.dac.model == ConverterModel::sign_magnitude ? 1 : 0);
    return hardware.dac.slice_bits == magnitude ? "all bits of dac.bits are sent at once" : "";
  };
  return rows;
}

std::vector<Parameter> adc_rows() {
  const auto ideal = [](const LayerHardware& hardware, const MatrixLayer&) {
    return std::string(hardware.adc.model == ConverterModel::ideal ? "adc.model is \"ideal\"" : "");
  };
  std::vector<Parameter> rows;
  rows.push_back(choice(
      "adc.model", "how currents become numbers",
      {"ideal", "quantizer", "sign_magnitude", "levels", "ramp", "sar", "pipeline", "cyclic", "table"},
      [](auto& h) -> auto& { return h.adc.model; }, adc_models, Group::conversion));
  Parameter bits = plain<int>(
      "adc.bits", "resolution of the outputs", types::integer(1, 16), [](auto& h) -> auto& { return h.adc.bits; },
      Group::conversion);
  bits.instead_of_zero = "adc.model \"ideal\"";
  bits.inert = [ideal](const LayerHardware& hardware, const MatrixLayer& layer) -> std::string {
    const bool listed = hardware.adc.model == ConverterModel::levels && !hardware.adc.levels.lloyd_max;
    return listed ? "adc.model is \"levels\", and their list is given" : ideal(hardware, layer);
  };
  rows.push_back(bits);
  rows.push_back(adc_rounding_row());
  rows.push_back(adc_range_row());
  rows.back().inert = ideal;
  rows.push_back(plain<bool>(
      "adc.per_input_slice", "a conversion per input slice, else their analog sum is converted", types::boolean(),
      [](auto& h) -> auto& { return h.adc.per_input_slice; }, Group::conversion));
  rows.back().inert = [](const LayerHardware& hardware, const MatrixLayer&) -> std::string {
    if (hardware.adc.model == ConverterModel::ideal) {
      return "adc.model is \"ideal\"";
    }
    return hardware.dac.slice_bits ? "" : "dac.slice_bits is \"unsliced\"";
  };
  rows.push_back(plain<int>(
      "adc.bound_management", "halvings of the inputs while a conversion of the vector clips", types::integer(0, 16),
      [](auto& h) -> auto& { return h.adc.bound_management; }, Group::conversion));
  rows.back().inert = ideal;
  std::vector<Parameter> circuit = adc_circuit_rows();
  std::move(circuit.begin(), circuit.end(), std::back_inserter(rows));
  return rows;
}

/// dac.transposed.* and adc.transposed.*: as the rows of the converter itself, which is their default.
void add_transposed(std::vector<Parameter>& rows) {
  const std::vector<Parameter> own = rows;
  for (const Parameter& row : own) {
    const std::size_t dot = row.path.find('.');
    Parameter transposed;
    transposed.path = row.path.substr(0, dot) + ".transposed" + row.path.substr(dot);
    transposed.about = row.about + ", of transposed products";
    transposed.type = row.type;
    rows.push_back(transposed);
  }
}

Parameter window_row(const std::string& path, const std::string& where, int WindowTile::*size) {
  Parameter row = plain<int>(
      path, fmt::format("windows of a convolution, {}, that one MVM computes, each with a copy of the kernel", where),
      types::integer(1, 64), [size](auto& h) -> auto& { return h.window.*size; }, Group::conversion);
  row.scope = ParameterScope::layers_only;
  row.decides = {Group::rows, Group::cols};
  row.misplaced = [](const MatrixLayer& layer) {
    return layer.convolution ? "" : fmt::format("layer '{}' is no convolution", layer.name);
  };
  row.inert = [size, misplaced = row.misplaced](const LayerHardware& hardware, const MatrixLayer& layer) {
    const std::string reason = misplaced(layer);
    return reason.empty() && hardware.window.*size == 1 ? "arrays hold single windows" : reason;
  };
  return row;
}

}  // namespace

std::vector<Parameter> converter_rows() {
  std::vector<Parameter> rows;
  for (auto section : {dac_rows(), adc_rows()}) {
    add_transposed(section);
    rows.insert(rows.end(), section.begin(), section.end());
  }
  return rows;
}

std::vector<Parameter> layer_rows() {
  std::vector<Parameter> rows;
  Parameter analog = plain<bool>(
      "analog", "whether the layer runs on crossbars", types::boolean(), [](auto& h) -> auto& { return h.analog; },
      Group::none);
  analog.scope = ParameterScope::layers_only;
  rows.push_back(analog);
  rows.push_back(choice(
      "grouped", "a grouped convolution on arrays: one block-diagonal matrix, or arrays of their own for each group",
      {"shared", "per_group"}, [](auto& h) -> auto& { return h.grouped; },
      std::vector<std::pair<std::string, GroupedMatrix>>{{"shared", GroupedMatrix::shared},
                                                         {"per_group", GroupedMatrix::per_group}},
      Group::conversion));
  rows.back().scope = ParameterScope::layers_only;
  rows.back().decides = {Group::rows, Group::cols};
  rows.back().misplaced = [](const MatrixLayer& layer) {
    return layer.groups > 1 ? "" : fmt::format("layer '{}' is no grouped convolution", layer.name);
  };
  rows.back().inert = [misplaced = rows.back().misplaced](const LayerHardware&, const MatrixLayer& layer) {
    return misplaced(layer);
  };
  rows.push_back(window_row("window.x", "side by side", &WindowTile::x));
  rows.push_back(window_row("window.y", "one above the other", &WindowTile::y));
  rows.push_back(future("activation_bits", "resolution of activations between layers",
                        types::integer_or(1, 16, "float"), "float"));
  rows.push_back(choice(
      "simulation.precision", "arithmetic of the simulation; float64 is a slow check, cell by cell",
      {"float32", "float64"}, [](auto& h) -> auto& { return h.precision; },
      std::vector<std::pair<std::string, Precision>>{{"float32", Precision::float32}, {"float64", Precision::float64}},
      ParameterGroup::conversion));
  rows.back().scope = ParameterScope::whole_network;
  return rows;
}

}  // namespace crossgrid
