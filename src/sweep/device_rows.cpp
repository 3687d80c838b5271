#include <fmt/format.h>

#include <limits>

#include "crossgrid/sweep/device_file.hpp"
#include "file_store.hpp"
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

/// Some devices' drift is the whole distribution at a time.
constexpr const char* drift_replaces =
    "the device file gives the whole distribution at device.time (device.drift.model), in place of a programming error";

bool replaced_by_drift(const DeviceConfig& device, const ErrorConfig& error) {
  return &error == &device.programming_error && device.scatters_by_drift();
}

/// programming_error and read_noise: a model and its magnitude.
template <class Access>
void add_error_rows(std::vector<Parameter>& rows, const std::string& section, const std::string& what, Access access) {
  const std::vector<std::pair<std::string, ErrorModel>> models{
      {"none", ErrorModel::none},
      {"device", ErrorModel::device},
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
    const ErrorConfig& error = access(hardware);
    if (replaced_by_drift(hardware.device, error)) {
      return drift_replaces;
    }
    return error.model == ErrorModel::device || error.magnitude > 0 ? "" : section + ".magnitude is 0";
  };
  Parameter magnitude = plain<double>(
      section + ".magnitude",
      what +
          ": standard deviation (normal) or full width (uniform): of Gmax (independent), a fraction (proportional), of "
          "Gmax^2 "
          "over the conductance (inverse)",
      types::at_least(0), [access](auto& h) -> auto& { return access(h).magnitude; }, Group::errors);
  magnitude.inert = [access, section](const LayerHardware& hardware, const MatrixLayer&) -> std::string {
    const ErrorConfig& error = access(hardware);
    if (replaced_by_drift(hardware.device, error)) {
      return drift_replaces;
    }
    if (error.model == ErrorModel::device) {
      return "the device file says how large it is (" + section + ".model is \"device\")";
    }
    return error.model != ErrorModel::none ? "" : section + ".model is \"none\"";
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

FileStore<MeasuredDevice>& device_files() {
  static FileStore<MeasuredDevice> store(read_device_file);
  return store;
}
FileStore<FaultMap>& fault_maps() {
  static FileStore<FaultMap> store(read_fault_map);
  return store;
}

/// Points are told apart by what a file says, wherever it lies.
Parameter model_row() {
  Parameter row;
  row.path = "device.model";
  row.about = "generic, or a device file (docs/device-file.md)";
  row.type = {.words = {"generic"}, .path = true};
  row.supported = row.type;
  row.group = Group::errors;
  row.fallback = "generic";
  row.load = [](const std::string& path) { device_files().load(path); };
  row.set = [](LayerHardware& hardware, const Json& json) {
    hardware.device.measured = {};
    if (json != "generic") {
      hardware.device.measured = device_files().find(json.get<std::string>());
    }
  };
  row.get = [](const LayerHardware& hardware) {
    const auto& measured = hardware.device.measured;
    return measured ? Json(measured->name + " " + measured->content.hex()) : Json("generic");
  };
  row.inert = [](const LayerHardware& hardware, const MatrixLayer&) {
    return hardware.device.uses_measurements()
               ? ""
               : "nothing is taken from the device file: no device.*.model (programming_error, read_noise, drift, iv) "
                 "is \"device\"";
  };
  return row;
}

/// Whether the physical size of conductances matters to the device.
bool is_measured(const DeviceConfig& device) {
  return device.measured && device.uses_measurements();
}

Parameter r_min_row() {
  Parameter row = plain<double>(
      "device.r_min", "resistance of the most conductive state in ohm; matters with wires or a device file",
      types::above(0), [](auto& h) -> auto& { return h.device.r_min; }, Group::errors);
  row.inert = [](const LayerHardware& hardware, const MatrixLayer&) {
    return is_measured(hardware.device) || hardware.array.wires.any()
               ? ""
               : "there are no wires (array.wires.* are 0) and nothing is taken from a device file";
  };
  return row;
}

Parameter read_voltage_row() {
  Parameter row = plain<double>(
      "device.read_voltage",
      "voltage of an input of 1, in V; matters to devices measured in amperes and to "
      "device.iv.model",
      types::above(0), [](auto& h) -> auto& { return h.device.read_voltage; }, Group::errors);
  row.inert = [](const LayerHardware& hardware, const MatrixLayer&) {
    const DeviceConfig& device = hardware.device;
    const bool matters = device.iv != IvModel::linear || (is_measured(device) && device.measured->in_amperes);
    return matters ? "" : "currents are proportional to it (device.iv.model, no device file in amperes)";
  };
  return row;
}

bool noise_grows(const DeviceConfig& device) {
  return device.read_noise.model == ErrorModel::device && device.measured && device.measured->read_noise &&
         device.measured->read_noise->t_read;
}

Parameter time_row() {
  Parameter row = plain<double>(
      "device.time", "since programming, in s", types::at_least(0), [](auto& h) -> auto& { return h.device.time; },
      Group::errors);
  row.inert = [](const LayerHardware& hardware, const MatrixLayer&) -> std::string {
    const DeviceConfig& device = hardware.device;
    if (device.drift == DriftModel::none && !noise_grows(device)) {
      return "nothing changes with time: device.drift.model is \"none\"";
    }
    const double t0 = device.measured ? device.measured->t0 : 0;
    return device.time > t0
               ? ""
               : fmt::format("device.time is not after the device's first read, at {} s", shortest_number(t0));
  };
  return row;
}

Parameter levels_row() {
  Parameter row;
  row.path = "device.levels";
  row.about = "programmable conductances of Gmax, ascending, instead of device.cell_bits";
  row.type = {.words = {"none"}, .levels = true};
  row.supported = row.type;
  row.group = Group::cell_bits;
  row.fallback = "none";
  row.set = [](LayerHardware& hardware, const Json& json) {
    hardware.device.levels = json.is_string() ? std::vector<double>{} : json.get<std::vector<double>>();
  };
  row.get = [](const LayerHardware& hardware) {
    return hardware.device.levels.empty() ? Json("none") : Json(hardware.device.levels);
  };
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
    if (hardware.array.wires.any()) {
      return "cells between wires are drawn one by one (array.wires.*)";
    }
    return hardware.device.read_noise.active() ? "" : "there is no read noise";
  };
  return row;
}

Parameter clip_row() {
  Parameter row = plain<bool>(
      "device.clip", "cells stay within [Gmin, Gmax], else above 0", types::boolean(),
      [](auto& h) -> auto& { return h.device.clip; }, Group::errors);
  row.inert = [](const LayerHardware& hardware, const MatrixLayer&) {
    return hardware.device.errors() ? "" : "no error or noise moves a cell out of its range";
  };
  return row;
}

std::string without_drift(const LayerHardware& hardware) {
  const DeviceConfig& device = hardware.device;
  if (device.drift == DriftModel::none) {
    return "device.drift.model is \"none\"";
  }
  return device.drifts() ? "" : "device.time is not after the device's first read";
}

void add_drift_rows(std::vector<Parameter>& rows) {
  Parameter model = choice(
      "device.drift.model", "drift over device.time, as the device file says", {"none", "device"},
      [](auto& h) -> auto& { return h.device.drift; },
      std::vector<std::pair<std::string, DriftModel>>{{"none", DriftModel::none}, {"device", DriftModel::device}},
      Group::errors);
  Parameter compensation = choice(
      "device.drift.compensation",
      "global: each array's currents are multiplied by what its cells conducted when programmed over what they conduct "
      "now",
      {"none", "global"}, [](auto& h) -> auto& { return h.device.compensation; },
      std::vector<std::pair<std::string, DriftCompensation>>{{"none", DriftCompensation::none},
                                                             {"global", DriftCompensation::global}},
      Group::errors);
  model.inert =
      compensation.inert = [](const LayerHardware& hardware, const MatrixLayer&) { return without_drift(hardware); };
  rows.push_back(model);
  rows.push_back(compensation);
}

/// Arrays do not multiply by voltages' powers yet: only linear cells are supported.
Parameter iv_row() {
  Parameter row = choice(
      "device.iv.model", "current over voltage", {"linear", "device", "cubic"},
      [](auto& h) -> auto& { return h.device.iv; },
      std::vector<std::pair<std::string, IvModel>>{
          {"linear", IvModel::linear}, {"device", IvModel::device}, {"cubic", IvModel::cubic}},
      Group::errors);
  return row;
}

Parameter map_row() {
  Parameter row;
  row.path = "device.faults.map";
  row.about = "NPY file of faults, rows x cols (or planes x rows x cols): 0 good, 1 stuck off, 2 stuck on";
  row.type = {.words = {"none"}, .path = true};
  row.supported = row.type;
  row.group = Group::faults;
  row.fallback = "none";
  row.load = [](const std::string& path) { fault_maps().load(path); };
  row.set = [](LayerHardware& hardware, const Json& json) {
    hardware.device.faults.map = {};
    if (json != "none") {
      hardware.device.faults.map = fault_maps().find(json.get<std::string>());
    }
  };
  row.get = [](const LayerHardware& hardware) {
    const auto& map = hardware.device.faults.map;
    return map ? Json(map->content.hex()) : Json("none");
  };
  return row;
}

void add_fault_rows(std::vector<Parameter>& rows) {
  const auto rate = [&](const char* name, const char* about, double FaultConfig::*member) {
    rows.push_back(plain<double>(
        std::string("device.faults.") + name, about,
        types::fraction(), [member](auto& h) -> auto& { return h.device.faults.*member; }, Group::faults));
  };
  rate("stuck_on", "fraction of cells that are stuck at Gmax", &FaultConfig::stuck_on);
  rate("stuck_off", "fraction of cells that are stuck at Gmin", &FaultConfig::stuck_off);
  rate("dead_rows", "fraction of rows whose cells conduct nothing", &FaultConfig::dead_rows);
  rate("dead_columns", "fraction of columns whose cells conduct nothing", &FaultConfig::dead_columns);
  rows.push_back(map_row());
}

}  // namespace

std::vector<Parameter> device_rows() {
  std::vector<Parameter> rows;
  rows.push_back(model_row());
  rows.push_back(r_min_row());
  rows.push_back(on_off_row());
  rows.push_back(integer_or_word(
      "device.cell_bits", "bits of a cell: 2^bits equal levels", 1, 16, "continuous",
      [](auto& h) -> auto& { return h.device.cell_bits; }, Group::cell_bits));
  rows.push_back(levels_row());
  rows.push_back(read_voltage_row());
  rows.push_back(time_row());
  rows.push_back(clip_row());
  add_error_rows(
      rows, "device.programming_error", "error of programming",
      [](auto& h) -> auto& { return h.device.programming_error; });
  add_error_rows(
      rows, "device.read_noise", "noise of each read", [](auto& h) -> auto& { return h.device.read_noise; });
  rows.push_back(sampling_row());
  add_drift_rows(rows);
  rows.push_back(iv_row());
  add_fault_rows(rows);
  return rows;
}

}  // namespace crossgrid
