#pragma once

#include <string>
#include <vector>

#include "crossgrid/device/device_config.hpp"

namespace crossgrid {

/// Why a configuration asks for what its device does not have, or leaves the range in which the device was measured.
struct DeviceProblem {
  std::string reason;                   ///< names the limit, what was found, and what to change
  std::vector<std::string> parameters;  ///< that meet in it, paths of the sweep file's names
};
/// All of them; empty where all is well.
std::vector<DeviceProblem> device_problems(const DeviceConfig& device);

}  // namespace crossgrid
