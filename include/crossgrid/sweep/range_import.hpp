#pragma once

#include <string>
#include <vector>

#include "crossgrid/circuit/converter_config.hpp"

namespace crossgrid {

/// Ranges as CrossSim's users publish them: an NPY array of layers x 2 or layers x slices x 2, [lo, hi] in the units of
/// RangeFile. Returns them by layer and slice. Error(bad_input) names the file, what was found and what was expected.
std::vector<std::vector<Interval>> import_ranges(const std::string& path, std::size_t layers);

}  // namespace crossgrid
