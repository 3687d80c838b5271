#pragma once

#include "crossgrid/sweep/sweep_file.hpp"

namespace crossgrid {

/// body(setting) for what a sweep's axes and layers set.
template <class Body>
void over_varied_settings(const SweepFile& sweep, const Body& body) {
  for (const LayerOverride& entry : sweep.layers) {
    for (const Setting& setting : entry.settings) body(setting);
  }
  for (const Axis& axis : sweep.axes) {
    for (const AxisValue& value : axis.values) {
      for (const Setting& setting : value.settings) body(setting);
    }
  }
}

/// Whether any setting of the sweep, in hardware, layers or axes, is such.
template <class Test>
bool any_setting(const SweepFile& sweep, const Test& is_such) {
  bool found = false;
  const auto look = [&](const Setting& setting) { found = found || is_such(setting); };
  for (const Setting& setting : sweep.hardware) look(setting);
  over_varied_settings(sweep, look);
  return found;
}

}  // namespace crossgrid
