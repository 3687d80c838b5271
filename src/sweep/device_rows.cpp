#include <fmt/format.h>

#include <limits>

#include "parameter_rows.hpp"

namespace crossgrid {

namespace {

using Group = ParameterGroup;

const std::vector<std::string>& error_laws() {
  static const std::vector<std::string> laws{"none",
                                             "device",
                                             "normal_independent",
                                             "normal_proportional",
                                             "normal_inverse",
                                             "uniform_independent",
                                             "uniform_proportional",
                                             "uniform_inverse"};
  return laws;
}

/// programming_error and read_noise: a model and its magnitude.
template <class Access>
void add_error_rows(std::vector<Parameter>& rows, const std::string& section, const std::string& what, Access access) {
  const std::vector<std::pair<std::string, ErrorModel>> models{
      {"none", ErrorModel::none},
      {"normal_independent", ErrorModel::normal_independent},
      {"normal_proportional", ErrorModel::normal_proportional},
      {"normal_inverse", ErrorModel::normal_inverse},
      {"uniform_independent", ErrorModel::uniform_independent},
      {"uniform_proportional", ErrorModel::uniform_proportional},
      {"uniform_inverse", ErrorModel::uniform_inverse}};
  Parameter model = choice(
      section + ".model", what + ": its law", error_laws(), [access](auto& h) -> auto& { return access(h).model; },
      models, Group::errors);
  model.inert = [access, section](const LayerHardware& hardware, const MatrixLayer&) -> std::string {
    return access(hardware).magnitude > 0 ? "" : section + ".magnitude is 0";
  };
  Parameter magnitude = plain<double>(
      section + ".magnitude",
      what +
          ": standard deviation (normal) or full width (uniform): of Gmax (independent), a fraction (proportional), of "
          "Gmax^2 "
          "over the conductance (inverse)",
      types::at_least(0), [access](auto& h) -> auto& { return access(h).magnitude; }, Group::errors);
  magnitude.inert = [access, section](const LayerHardware& hardware, const MatrixLayer&) -> std::string {
    return access(hardware).model != ErrorModel::none ? "" : section + ".model is \"none\"";
  };
  rows.push_back(model);
  rows.push_back(magnitude);
}

Parameter on_off_row() {
  Parameter row;
  row.path = "device.on_off_ratio";
  row.about = "Gmax / Gmin";
  row.type = {.words = {"infinite"}, .number = ValueType::Numbers{.low = 1, .low_open = true}};
  row.supported = row.type;
  row.group = Group::on_off_ratio;
  row.instead_of_zero = "\"infinite\"";
  row.set = [](LayerHardware& hardware, const Json& json) {
    hardware.device.on_off_ratio = json.is_string() ? std::numeric_limits<double>::infinity() : json.get<double>();
  };
  row.get = [](const LayerHardware& hardware) {
    const double ratio = hardware.device.on_off_ratio;
    return ratio == std::numeric_limits<double>::infinity() ? Json("infinite") : Json(ratio);
  };
  row.fallback = "infinite";
  return row;
}

Parameter r_min_row() {
  Parameter row;
  row.path = "device.r_min";
  row.about = "resistance of the most conductive state in ohm; matters with wires only";
  row.type = types::above(0);
  row.supported = row.type;
  row.fallback = 1e4;
  row.inert = [](const LayerHardware&, const MatrixLayer&) { return "there are no wires (array.wires.* are 0)"; };
  return row;
}

Parameter sampling_row() {
  Parameter row = choice(
      "device.read_noise.sampling", "whether read noise is drawn per cell or per column",
      {"auto", "lumped", "per_cell"}, [](auto& h) -> auto& { return h.device.read_noise_sampling; },
      std::vector<std::pair<std::string, NoiseSampling>>{
          {"auto", NoiseSampling::automatic}, {"lumped", NoiseSampling::lumped}, {"per_cell", NoiseSampling::per_cell}},
      Group::errors);
  row.inert = [](const LayerHardware& hardware, const MatrixLayer&) {
    return hardware.device.read_noise.active() ? "" : "there is no read noise";
  };
  return row;
}

Parameter clip_row() {
  Parameter row = plain<bool>(
      "device.clip", "cells stay within [Gmin, Gmax], else above 0", types::boolean(),
      [](auto& h) -> auto& { return h.device.clip; }, Group::errors);
  row.inert = [](const LayerHardware& hardware, const MatrixLayer&) {
    const bool moves = hardware.device.programming_error.active() || hardware.device.read_noise.active();
    return moves ? "" : "no error or noise moves a cell out of its range";
  };
  return row;
}

void add_last_rows(std::vector<Parameter>& rows) {
  rows.push_back(future("device.drift.model", "drift over time", types::words({"none", "device"}), "none"));
  rows.push_back(
      future("device.drift.compensation", "what is done against drift", types::words({"none", "global"}), "none"));
  rows.push_back(
      future("device.iv.model", "current over voltage", types::words({"linear", "device", "cubic"}), "linear"));
  rows.push_back(plain<double>(
      "device.faults.stuck_on", "fraction of cells that are stuck at Gmax", types::fraction(),
      [](auto& h) -> auto& { return h.device.faults.stuck_on; }, Group::faults));
  rows.push_back(plain<double>(
      "device.faults.stuck_off", "fraction of cells that are stuck at Gmin", types::fraction(),
      [](auto& h) -> auto& { return h.device.faults.stuck_off; }, Group::faults));
  for (const char* name : {"dead_rows", "dead_columns"}) {
    rows.push_back(future(std::string("device.faults.") + name, "fraction of lines", types::fraction(), 0.0));
  }
  rows.push_back(
      future("device.faults.map", "NPY file of faults (rows x cols)", {.words = {"none"}, .path = true}, "none"));
}

}  // namespace

std::vector<Parameter> device_rows() {
  std::vector<Parameter> rows;
  rows.push_back(future("device.model", "generic, or a device file", {.words = {"generic"}, .path = true}, "generic"));
  rows.push_back(r_min_row());
  rows.push_back(on_off_row());
  rows.push_back(integer_or_word(
      "device.cell_bits", "bits of a cell: 2^bits equal levels", 1, 16, "continuous",
      [](auto& h) -> auto& { return h.device.cell_bits; }, Group::cell_bits));
  rows.push_back(
      future("device.levels", "programmable conductances of Gmax", {.words = {"none"}, .levels = true}, "none"));
  rows.push_back(future("device.read_voltage", "in V", types::above(0), 0.1));
  rows.push_back(future("device.time", "since programming, in s", types::at_least(0), 0.0));
  rows.push_back(clip_row());
  add_error_rows(
      rows, "device.programming_error", "error of programming",
      [](auto& h) -> auto& { return h.device.programming_error; });
  add_error_rows(
      rows, "device.read_noise", "noise of each read", [](auto& h) -> auto& { return h.device.read_noise; });
  rows.push_back(sampling_row());
  add_last_rows(rows);
  return rows;
}

}  // namespace crossgrid
