#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "parameter_rows.hpp"

namespace crossgrid {

namespace {

using Group = ParameterGroup;
using Models = std::vector<std::pair<std::string, ConverterModel>>;
const Models dac_models{{"ideal", ConverterModel::ideal},
                        {"quantizer", ConverterModel::quantizer},
                        {"sign_magnitude", ConverterModel::sign_magnitude}};
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

/// dac.range and adc.range: words or [lo, hi].
template <class Access>
Parameter range_row(const std::string& path, const std::string& about, ValueType type,
                    const std::vector<std::pair<std::string, RangeRule>>& words, Access access) {
  Parameter row;
  row.path = path;
  row.about = about;
  row.type = std::move(type);
  for (const auto& [word, rule] : words) {
    row.supported.words.push_back(word);
  }
  row.supported.interval = true;
  row.group = Group::converters;
  row.set = [access, words](LayerHardware& hardware, const Json& json) {
    auto& converter = access(hardware);
    converter.range = RangeRule::fixed;
    converter.fixed_range = json.is_array() ? interval_of(json) : Interval{};
    for (const auto& [word, rule] : words) {
      if (json == word) {
        converter.range = rule;
      }
    }
  };
  row.get = [access, words](const LayerHardware& hardware) {
    const auto& converter = access(hardware);
    for (const auto& [word, rule] : words) {
      if (converter.range == rule) {
        return Json(word);
      }
    }
    return Json::array({converter.fixed_range.low, converter.fixed_range.high});
  };
  row.fallback = "calibrated";
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
  const bool scales = hardware.adc.range == RangeRule::calibrated && hardware.adc.model != ConverterModel::table;
  return scales ? "dac.model is \"ideal\" and adc.range is \"calibrated\"" : "";
}

std::vector<Parameter> dac_rows() {
  const auto dac = [](auto& h) -> auto& {
    return h.dac;
  };
  std::vector<Parameter> rows;
  rows.push_back(choice(
      "dac.model", "how inputs become voltages", {"ideal", "quantizer", "sign_magnitude", "pulse_width"},
      [](auto& h) -> auto& { return h.dac.model; }, dac_models, Group::converters));
  Parameter bits = plain<int>(
      "dac.bits", "resolution of the inputs", types::integer(1, 16), [](auto& h) -> auto& { return h.dac.bits; },
      Group::converters);
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
  sign.group = Group::converters;
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

  rows.push_back(range_row("dac.range", "range of the inputs in the layer's units",
                           {.words = {"calibrated", "per_vector"}, .interval = true},
                           {{"calibrated", RangeRule::calibrated}}, dac));
  rows.back().inert = [](const LayerHardware& hardware, const MatrixLayer&) { return scale_is_inert(hardware); };
  rows.push_back(future("dac.slice_bits", "bits of an input that are sent at once",
                        types::integer_or(1, 16, "unsliced"), "unsliced"));
  return rows;
}

std::vector<Parameter> adc_rows() {
  const auto adc = [](auto& h) -> auto& {
    return h.adc;
  };
  const auto ideal = [](const LayerHardware& hardware, const MatrixLayer&) {
    return std::string(hardware.adc.model == ConverterModel::ideal ? "adc.model is \"ideal\"" : "");
  };
  std::vector<Parameter> rows;
  rows.push_back(choice(
      "adc.model", "how currents become numbers",
      {"ideal", "quantizer", "sign_magnitude", "levels", "ramp", "sar", "pipeline", "cyclic", "table"},
      [](auto& h) -> auto& { return h.adc.model; }, adc_models, Group::converters));
  Parameter bits = plain<int>(
      "adc.bits", "resolution of the outputs", types::integer(1, 16), [](auto& h) -> auto& { return h.adc.bits; },
      Group::converters);
  bits.instead_of_zero = "adc.model \"ideal\"";
  bits.inert = [ideal](const LayerHardware& hardware, const MatrixLayer& layer) -> std::string {
    const bool listed = hardware.adc.model == ConverterModel::levels && !hardware.adc.levels.lloyd_max;
    return listed ? "adc.model is \"levels\", and their list is given" : ideal(hardware, layer);
  };
  rows.push_back(bits);
  rows.push_back(adc_rounding_row());
  rows.push_back(range_row("adc.range", "range of the outputs in cell currents",
                           {.words = {"calibrated", "max", "granular"}, .interval = true, .intervals = true},
                           {{"calibrated", RangeRule::calibrated}, {"max", RangeRule::maximum}}, adc));
  rows.back().inert = ideal;
  rows.push_back(future("adc.per_input_slice", "a conversion per input slice", types::boolean(), false));
  std::vector<Parameter> circuit = adc_circuit_rows();
  std::move(circuit.begin(), circuit.end(), std::back_inserter(rows));
  rows.push_back(future("adc.bound_management", "halvings of the inputs while outputs clip", types::integer(0, 16), 0));
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
  rows.push_back(
      future("grouped", "how a grouped convolution shares arrays", types::words({"shared", "per_group"}), "shared"));
  rows.back().scope = ParameterScope::layers_only;
  rows.push_back(future("window.x", "windows of a convolution per array", types::integer(1), 1));
  rows.push_back(future("window.y", "windows of a convolution per array", types::integer(1), 1));
  rows.push_back(future("activation_bits", "resolution of activations between layers",
                        types::integer_or(1, 16, "float"), "float"));
  rows.push_back(
      future("simulation.precision", "arithmetic of the simulation", types::words({"float32", "float64"}), "float32"));
  rows.back().scope = ParameterScope::whole_network;
  return rows;
}

}  // namespace crossgrid
