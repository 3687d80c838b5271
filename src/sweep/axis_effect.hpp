#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "hardware_resolver.hpp"

/// Rule R2 for axes: an axis that changes nothing is a mistake that looks like a flat line.
namespace crossgrid {

/// Whether a setting has an effect in some layer of a point.
bool setting_matters(const Setting& setting, const HardwareResolver& resolver, const Digits& digits);

/// Whether one of the settings has an effect in some layer of a point.
bool any_setting_matters(const AxisValue& value, const HardwareResolver& resolver, const Digits& digits);

/// For the message: why the axis changes nothing, worked out at the point `digits`.
std::string reason_without_effect(const Axis& axis, std::size_t index, const HardwareResolver& resolver, Digits digits);
/// The same of one setting.
std::string reason_without_effect(const Setting& setting, const HardwareResolver& resolver, const Digits& digits);

/// Groups whose parameters decide if hardware can be built (impossible_hardware). Most of them only where something
/// of the sweep names a device's measurements, levels or faults: a large grid is not walked for nothing.
std::set<ParameterGroup> deciding_groups(const SweepFile& sweep);

/// Whether `holds` is true for any combination of these axes, the others at their first value.
bool any_combination(const SweepFile& sweep, const std::vector<std::size_t>& axes,
                     const std::function<bool(const Digits&)>& holds);

/// "adc.bits = 4, mapping = offset".
std::string describe_point(const SweepFile& sweep, const Digits& digits);

}  // namespace crossgrid
