#pragma once

#include <string>

#include "crossgrid/device/device_config.hpp"

namespace crossgrid {

/// Why a configuration asks for what its device does not have, or leaves the range in which the device was measured:
/// names the limit, what was found, and the parameter to change. Empty where all is well.
std::string device_problem(const DeviceConfig& device);

}  // namespace crossgrid
