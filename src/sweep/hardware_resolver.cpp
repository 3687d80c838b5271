#include "hardware_resolver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace crossgrid {

HardwareResolver::HardwareResolver(const SweepFile& sweep, const std::vector<MatrixLayer>& layers)
    : sweep_(&sweep), layers_(layers) {
  LayerHardware common;
  for (const Setting& setting : sweep.hardware) {
    if (setting.parameter->set) {
      setting.parameter->set(common, setting.value);
    }
  }
  base_.assign(layers.size(), common);
  set_by_layers_.resize(layers.size());
  ProblemList problems;
  apply_layers(sweep, problems);
  compile_axes(sweep, problems);
  problems.attempt([&] { refuse_axes_that_meet(sweep); });
  problems.throw_if_any();
}

void HardwareResolver::check_matches(const std::string& pattern, const Place& place) const {
  std::vector<std::string> names;
  for (const MatrixLayer& layer : layers_) {
    if (layer_matches(pattern, layer.name)) {
      return;
    }
    names.push_back(layer.name);
  }
  const std::string nearest = nearest_name(pattern, names);
  throw place.error(fmt::format("pattern '{}' matches no layer{}(layers: {})", pattern,
                                nearest.empty() ? " " : "\n  did you mean '" + nearest + "'? ",
                                fmt::join(names, ", ")));
}

/// An entry of `layers` that sets what none of its layers can have is a mistake.
void HardwareResolver::check_placed(const Setting& setting, const std::string& pattern) const {
  if (!setting.parameter->misplaced) {
    return;
  }
  std::string reason;
  for (const MatrixLayer& layer : layers_) {
    if (!layer_matches(pattern, layer.name)) {
      continue;
    }
    reason = setting.parameter->misplaced(layer);
    if (reason.empty()) {
      return;
    }
  }
  if (!reason.empty()) {
    throw setting.place.error(fmt::format("no layer that '{}' matches can have it: {}", pattern, reason));
  }
}

void HardwareResolver::apply_layers(const SweepFile& sweep, ProblemList& problems) {
  for (const LayerOverride& entry : sweep.layers) {
    problems.attempt([&] { check_matches(entry.match, entry.place / "match"); });
    for (const Setting& setting : entry.settings) {
      problems.attempt([&] { check_placed(setting, entry.match); });
    }
    for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
      if (!layer_matches(entry.match, layers_[layer].name)) {
        continue;
      }
      for (const Setting& setting : entry.settings) {
        set_by_layers_[layer].push_back(setting.parameter);
        if (setting.parameter->set) {
          setting.parameter->set(base_[layer], setting.value);
        }
      }
    }
  }
}

bool HardwareResolver::reaches(const Setting& setting, std::size_t layer) const {
  if (!setting.pattern.empty()) {
    return layer_matches(setting.pattern, layers_[layer].name);
  }
  const auto& taken = set_by_layers_[layer];
  return std::find(taken.begin(), taken.end(), setting.parameter) == taken.end();
}

void HardwareResolver::compile_axes(const SweepFile& sweep, ProblemList& problems) {
  for (const Axis& axis : sweep.axes) {
    std::set<std::string> patterns;  // each is told once
    plain_.emplace_back(axis.values.size());
    patterned_.emplace_back(axis.values.size());
    for (std::size_t value = 0; value < axis.values.size(); ++value) {
      for (const Setting& setting : axis.values[value].settings) {
        if (!setting.pattern.empty() && patterns.insert(setting.pattern).second) {
          problems.attempt([&] { check_matches(setting.pattern, setting.place); });
        }
        if (!setting.parameter->set) {
          continue;
        }
        AxisSetting compiled{&setting, std::vector<bool>(layers_.size())};
        for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
          compiled.layers[layer] = reaches(setting, layer);
        }
        (setting.pattern.empty() ? plain_ : patterned_).back()[value].push_back(std::move(compiled));
      }
    }
  }
}

/// Plain names were compared when the file was read; whether patterns overlap is known only now.
void HardwareResolver::refuse_axes_that_meet(const SweepFile& sweep) const {
  std::map<std::pair<const Parameter*, std::size_t>, const Setting*> owners;
  for (std::size_t axis = 0; axis < patterned_.size(); ++axis) {
    std::map<std::pair<const Parameter*, std::size_t>, const Setting*> own;
    for (const auto& value : patterned_[axis]) {
      std::map<std::pair<const Parameter*, std::size_t>, const Setting*> once;
      for (const AxisSetting& compiled : value) {
        for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
          const auto key = std::pair{compiled.setting->parameter, layer};
          if (compiled.layers[layer] && !once.emplace(key, compiled.setting).second) {
            throw compiled.setting->place.error(fmt::format("'{}' and '{}' both set {} in layer '{}'",
                                                            once[key]->name(), compiled.setting->name(),
                                                            key.first->path, layers_[layer].name));
          }
        }
      }
      own.merge(once);
    }
    for (const auto& [key, setting] : own) {
      const auto [owner, fresh] = owners.emplace(key, setting);
      if (!fresh) {
        throw sweep.axes[axis].place.error(fmt::format("'{}' and '{}' are two axes that both set {} in layer '{}'",
                                                       owner->second->name(), setting->name(), key.first->path,
                                                       layers_[key.second].name));
      }
    }
  }
}

LayerHardware HardwareResolver::hardware(std::size_t layer, const Digits& digits) const {
  LayerHardware hardware = base_[layer];
  for (const AxisSettings* settings : {&plain_, &patterned_}) {
    for (std::size_t axis = 0; axis < digits.size(); ++axis) {
      for (const AxisSetting& compiled : (*settings)[axis][digits[axis]]) {
        if (compiled.layers[layer]) {
          compiled.setting->parameter->set(hardware, compiled.setting->value);
        }
      }
    }
  }
  return hardware;
}

const Place* HardwareResolver::place(std::size_t layer, const Digits& digits, const Parameter& parameter) const {
  const Place* found = nullptr;
  const auto look = [&](const Setting& setting) {
    if (setting.parameter == &parameter) {
      found = &setting.place;
    }
  };
  std::for_each(sweep_->hardware.begin(), sweep_->hardware.end(), look);
  for (const LayerOverride& entry : sweep_->layers) {
    if (layer_matches(entry.match, layers_[layer].name)) {
      std::for_each(entry.settings.begin(), entry.settings.end(), look);
    }
  }
  // A plain axis does not reach a layer where `layers` has set its parameter.
  for (const AxisSettings* settings : {&plain_, &patterned_}) {
    for (std::size_t axis = 0; axis < digits.size(); ++axis) {
      for (const AxisSetting& compiled : (*settings)[axis][digits[axis]]) {
        if (compiled.layers[layer]) {
          look(*compiled.setting);
        }
      }
    }
  }
  return found;
}

}  // namespace crossgrid
