#pragma once

#include <string>
#include <vector>

#include "crossgrid/core/layer_hardware.hpp"

namespace crossgrid {

/// Hardware of parameters set one by one (NAME=VALUE, as --set takes them), without a sweep: the others have their
/// defaults. Error(bad_input) as for a sweep; for a name that is no hardware parameter, and for hardware that can't be
/// built.
LayerHardware bare_hardware(const std::vector<std::string>& settings);

}  // namespace crossgrid
