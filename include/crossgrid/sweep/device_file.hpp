#pragma once

#include <memory>
#include <string>

#include "crossgrid/base/json.hpp"
#include "crossgrid/device/fault_map.hpp"
#include "crossgrid/device/measured_device.hpp"

namespace crossgrid {

/// Reads a device file (docs/device-file.md). Error(bad_input) names the file, the JSON pointer, what was found and
/// what was expected; a sigma below 0 within the range that the file calls valid is an error too.
std::shared_ptr<const MeasuredDevice> read_device_file(const std::string& path);
/// From JSON that was read before; `path` names it in messages.
MeasuredDevice parse_device(const Json& document, const std::string& path);

/// Reads a map of faults: an NPY file of rows x cols, or planes x rows x cols, of 0 (good), 1 (off) and 2 (on).
std::shared_ptr<const FaultMap> read_fault_map(const std::string& path);

}  // namespace crossgrid
