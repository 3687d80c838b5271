#include "axis_effect.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sweep_settings.hpp"

namespace crossgrid {

namespace {

/// Why a setting changes nothing in a layer; empty where it does something.
std::string reason_in_layer(const Setting& setting, const HardwareResolver& resolver, std::size_t layer,
                            const Digits& digits) {
  const Parameter& parameter = *setting.parameter;
  if (!resolver.reaches(setting, layer)) {
    return fmt::format("'layers' sets {0} in layer '{1}' and beats this axis; only '{0}@pattern' beats 'layers'",
                       parameter.path, resolver.layers()[layer].name);
  }
  const LayerHardware hardware = resolver.hardware(layer, digits);
  if (!hardware.analog && parameter.path != "analog") {
    return fmt::format("layer '{}' is digital (analog: false)", resolver.layers()[layer].name);
  }
  if (parameter.inert) {
    return parameter.inert(hardware, resolver.layers()[layer]);
  }
  return parameter.set ? "" : fmt::format("only the default of {} is supported yet", parameter.path);
}

/// Adds why a setting changes nothing, layer by layer, each reason once; false where it does something in some layer.
bool collect_reasons(const Setting& setting, const HardwareResolver& resolver, const Digits& digits,
                     std::vector<std::string>& reasons) {
  bool silent = true;
  for (std::size_t layer = 0; layer < resolver.layers().size(); ++layer) {
    if (!setting.pattern.empty() && !resolver.reaches(setting, layer)) continue;
    const std::string reason = reason_in_layer(setting, resolver, layer, digits);
    silent = silent && !reason.empty();
    if (!reason.empty() && std::find(reasons.begin(), reasons.end(), reason) == reasons.end()) {
      reasons.push_back(reason);
    }
  }
  return silent;
}

std::string at_every_point(std::vector<std::string> reasons) {
  if (reasons.empty()) {
    return "all its values make the same chip at every point";
  }
  reasons.resize(std::min<std::size_t>(reasons.size(), 4));
  return fmt::format("{} at every point", fmt::join(reasons, "; "));
}

}  // namespace

bool setting_matters(const Setting& setting, const HardwareResolver& resolver, const Digits& digits) {
  std::vector<std::string> reasons;
  return !collect_reasons(setting, resolver, digits, reasons);
}

bool any_setting_matters(const AxisValue& value, const HardwareResolver& resolver, const Digits& digits) {
  return std::any_of(value.settings.begin(), value.settings.end(),
                     [&](const Setting& setting) { return setting_matters(setting, resolver, digits); });
}

std::string reason_without_effect(const Axis& axis, std::size_t index, const HardwareResolver& resolver,
                                  Digits digits) {
  std::vector<std::string> reasons;
  for (digits[index] = 0; digits[index] < axis.values.size(); ++digits[index]) {
    for (const Setting& setting : axis.values[digits[index]].settings) {
      collect_reasons(setting, resolver, digits, reasons);
    }
  }
  return at_every_point(std::move(reasons));
}

std::string reason_without_effect(const Setting& setting, const HardwareResolver& resolver, const Digits& digits) {
  std::vector<std::string> reasons;
  collect_reasons(setting, resolver, digits, reasons);
  return at_every_point(std::move(reasons));
}

std::set<ParameterGroup> deciding_groups(const SweepFile& sweep) {
  using Group = ParameterGroup;
  std::set<Group> groups{Group::weight_bits, Group::cell_bits, Group::faults, Group::conversion};
  const bool measured = any_setting(sweep, [](const Setting& setting) {
    return setting.parameter->group == Group::errors && (setting.value == "device" || setting.value == "cubic");
  });
  const bool levels = any_setting(sweep, [](const Setting& setting) {
    return setting.parameter->path == "device.levels" && setting.value.is_array();
  });
  const bool map = any_setting(sweep, [](const Setting& setting) {
    return setting.parameter->path == "device.faults.map" && names_file(*setting.parameter, setting.value);
  });
  const bool wires = any_setting(
      sweep, [](const Setting& setting) { return !setting.parameter->decides.empty() && setting.value != 0; });
  const bool clip_of_model = any_setting(sweep, [](const Setting& setting) {
    return setting.parameter->path == "core.clip" && setting.value == "from_model";
  });
  if (clip_of_model) {
    groups.insert(Group::clip);
  }
  if (wires) {
    groups.insert(Group::errors);
  }
  if (measured) {
    groups.insert({Group::errors, Group::on_off_ratio});
  }
  if (levels) {
    groups.insert(Group::on_off_ratio);
  }
  if (map) {
    groups.insert({Group::rows, Group::cols});
  }
  return groups;
}

bool any_combination(const SweepFile& sweep, const std::vector<std::size_t>& axes,
                     const std::function<bool(const Digits&)>& holds) {
  Digits digits(sweep.axes.size(), 0);
  while (true) {
    if (holds(digits)) {
      return true;
    }
    std::size_t at = axes.size();
    while (at > 0 && ++digits[axes[at - 1]] == sweep.axes[axes[at - 1]].values.size()) {
      digits[axes[--at]] = 0;
    }
    if (at == 0) {
      return false;
    }
  }
}

std::string describe_point(const SweepFile& sweep, const Digits& digits) {
  std::vector<std::string> parts;
  for (std::size_t axis = 0; axis < digits.size(); ++axis) {
    const Axis& found = sweep.axes[axis];
    for (std::size_t column = 0; column < found.columns.size(); ++column) {
      parts.push_back(fmt::format("{} = {}", found.columns[column], found.values[digits[axis]].columns[column].dump()));
    }
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace crossgrid
