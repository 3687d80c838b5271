#include <algorithm>
#include <initializer_list>

#include "adc_files.hpp"
#include "crossgrid/circuit/circuit_adc.hpp"
#include "parameter_rows.hpp"

namespace crossgrid {

namespace {

using Group = ParameterGroup;
using Model = ConverterModel;

/// A part that only some models have changes nothing in the others.
std::function<std::string(const LayerHardware&, const MatrixLayer&)> needs(std::initializer_list<Model> models,
                                                                           const std::string& names) {
  const std::vector<Model> list = models;
  return [list, names](const LayerHardware& hardware, const MatrixLayer&) -> std::string {
    const bool there = std::find(list.begin(), list.end(), hardware.adc.model) != list.end();
    return there ? "" : "adc.model is not " + names;
  };
}

std::vector<double> list_of(const Json& json) {
  return json.get<std::vector<double>>();
}

template <class Access>
Parameter sigma_row(const std::string& name, const std::string& about, Access access) {
  return plain<double>("adc." + name, about, types::at_least(0), access, Group::conversion);
}

void add_sigma_rows(std::vector<Parameter>& rows) {
  rows.push_back(sigma_row(
      "sigma_capacitor", "mismatch of the converter's unit capacitor, a fraction of it",
      [](auto& h) -> auto& { return h.adc.errors.sigma_capacitor; }));
  rows.back().inert = needs({Model::ramp, Model::sar}, "\"ramp\" or \"sar\"");
  const auto stages = needs({Model::pipeline, Model::cyclic}, "\"pipeline\" or \"cyclic\"");
  rows.push_back(sigma_row(
      "sigma_c1", "mismatch of the stages' sampling capacitor C1, of its value",
      [](auto& h) -> auto& { return h.adc.errors.sigma_c1; }));
  rows.back().inert = stages;
  rows.push_back(sigma_row(
      "sigma_c2", "mismatch of the stages' feedback capacitor C2, of C1",
      [](auto& h) -> auto& { return h.adc.errors.sigma_c2; }));
  rows.back().inert = stages;
  rows.push_back(sigma_row(
      "sigma_cpar", "parasitic capacitance of the stages, of C1",
      [](auto& h) -> auto& { return h.adc.errors.sigma_cpar; }));
  rows.back().inert = stages;
  rows.push_back(sigma_row(
      "sigma_comparator", "offset of the converter's comparators, of its reference",
      [](auto& h) -> auto& { return h.adc.errors.sigma_comparator; }));
}

Parameter levels_row() {
  Parameter row;
  row.path = "adc.levels";
  row.about =
      "levels of the converter as fractions of its range; lloyd_max: fitted to the currents (2^bits); or a file";
  row.type = {.words = {"none", "lloyd_max"}, .levels = true, .path = true};
  row.supported = row.type;
  row.group = Group::conversion;
  row.read_file = read_adc_levels;
  row.set = [](LayerHardware& hardware, const Json& json) {
    AdcLevels& levels = hardware.adc.levels;
    levels = {};
    levels.lloyd_max = json == "lloyd_max";
    if (json.is_array()) {
      levels.levels = list_of(json);
    } else if (json.is_object()) {
      levels.levels = list_of(json.at("levels"));
      levels.thresholds = list_of(json.at("thresholds"));
    }
  };
  row.get = [](const LayerHardware& hardware) {
    const AdcLevels& levels = hardware.adc.levels;
    if (levels.lloyd_max || levels.levels.empty()) {
      return Json(levels.lloyd_max ? "lloyd_max" : "none");
    }
    return levels.thresholds.empty() ? Json(levels.levels)
                                     : Json{{"levels", levels.levels}, {"thresholds", levels.thresholds}};
  };
  row.fallback = "none";
  row.inert = needs({Model::levels}, "\"levels\"");
  return row;
}

Parameter table_row() {
  Parameter row;
  row.path = "adc.table";
  row.about = "file of measured errors: value,mean,sigma in cell currents";
  row.type = {.words = {"none"}, .path = true};
  row.supported = row.type;
  row.group = Group::conversion;
  row.read_file = read_adc_table;
  row.set = [](LayerHardware& hardware, const Json& json) {
    hardware.adc.table = {};
    if (json.is_object()) {
      hardware.adc.table = {list_of(json.at("value")), list_of(json.at("mean")), list_of(json.at("sigma"))};
    }
  };
  row.get = [](const LayerHardware& hardware) {
    const AdcTable& table = hardware.adc.table;
    return table.value.empty() ? Json("none")
                               : Json{{"value", table.value}, {"mean", table.mean}, {"sigma", table.sigma}};
  };
  row.fallback = "none";
  row.inert = needs({Model::table}, "\"table\"");
  return row;
}

}  // namespace

Parameter adc_rounding_row() {
  Parameter row = choice(
      "adc.rounding", "to the nearest code, or at random with the mean kept", {"nearest", "stochastic"},
      [](auto& h) -> auto& { return h.adc.rounding; },
      std::vector<std::pair<std::string, Rounding>>{{"nearest", Rounding::nearest},
                                                    {"stochastic", Rounding::stochastic}},
      Group::conversion);
  row.inert = needs({Model::quantizer, Model::sign_magnitude}, "\"quantizer\" or \"sign_magnitude\"");
  return row;
}

std::vector<Parameter> adc_circuit_rows() {
  std::vector<Parameter> rows;
  rows.push_back(plain<int>(
      "adc.group", "columns that share a converter", types::integer(1), [](auto& h) -> auto& { return h.adc.group; },
      Group::conversion));
  const auto shared = needs({Model::sar, Model::pipeline, Model::cyclic}, "\"sar\", \"pipeline\" or \"cyclic\"");
  rows.back().inert = [shared](const LayerHardware& hardware, const MatrixLayer& layer) -> std::string {
    const std::string reason = shared(hardware, layer);
    return !reason.empty() || adc_draws(hardware.adc) ? reason : "the converter has no random errors";
  };
  add_sigma_rows(rows);
  const auto circuits =
      needs({Model::ramp, Model::sar, Model::pipeline, Model::cyclic}, "\"ramp\", \"sar\", \"pipeline\" or \"cyclic\"");
  rows.back().inert = circuits;
  rows.push_back(plain<double>(
      "adc.gain_db", "gain of the converter's amplifier in dB", types::above(0),
      [](auto& h) -> auto& { return h.adc.errors.gain_db; }, Group::conversion));
  rows.back().inert = circuits;
  rows.push_back(plain<bool>(
      "adc.split", "a split capacitor array with a bridge", types::boolean(),
      [](auto& h) -> auto& { return h.adc.split; }, Group::conversion));
  rows.back().inert = needs({Model::sar}, "\"sar\"");
  rows.push_back(plain<bool>(
      "adc.symmetric", "the sign flips the ramp's reference, else its capacitor array is unsigned", types::boolean(),
      [](auto& h) -> auto& { return h.adc.symmetric; }, Group::conversion));
  rows.back().inert = needs({Model::ramp}, "\"ramp\"");
  rows.push_back(levels_row());
  rows.push_back(table_row());
  return rows;
}

}  // namespace crossgrid
