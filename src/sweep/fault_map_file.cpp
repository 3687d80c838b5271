#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>

#include "crossgrid/base/error.hpp"
#include "crossgrid/data/npy_file.hpp"
#include "crossgrid/sweep/device_file.hpp"

namespace crossgrid {

std::shared_ptr<const FaultMap> read_fault_map(const std::string& path) {
  const NpyArray array = read_npy(path);
  const std::size_t dimensions = array.shape.size();
  if ((dimensions != 2 && dimensions != 3) || array.values.empty() ||
      array.values.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw input_error(path,
                      fmt::format("found an array of shape ({}), expected a map of faults: rows x cols, or planes "
                                  "x rows x cols",
                                  fmt::join(array.shape, ", ")));
  }
  FaultMap map;
  map.planes = dimensions == 3 ? static_cast<int>(array.shape[0]) : 1;
  map.rows = static_cast<int>(array.shape[dimensions - 2]);
  map.cols = static_cast<int>(array.shape[dimensions - 1]);
  map.content = array.content;
  map.states.reserve(array.values.size());
  for (const double value : array.values) {
    if (value != 0 && value != 1 && value != 2) {
      const std::size_t place = map.states.size(), cols = array.shape[dimensions - 1];
      throw input_error(path, fmt::format("found {} in row {}, column {}, expected 0 (good), 1 (off) or 2 (on)", value,
                                          place / cols % array.shape[dimensions - 2], place % cols));
    }
    map.states.push_back(static_cast<std::uint8_t>(value));
  }
  return std::make_shared<const FaultMap>(std::move(map));
}

}  // namespace crossgrid
