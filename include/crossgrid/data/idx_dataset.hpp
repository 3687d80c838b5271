#pragma once

#include <memory>
#include <string>

#include "crossgrid/data/dataset.hpp"

namespace crossgrid {

/// Opens a split of a folder of IDX files: SPLIT-images-idx3-ubyte and SPLIT-labels-idx1-ubyte, with a dot for the
/// second dash as some archives have it, plain or with .gz; plain ones win. "test" also finds t10k-*.
/// Error(bad_input) as open_dataset().
std::shared_ptr<const Dataset> open_idx_dataset(const std::string& folder, const std::string& split);

}  // namespace crossgrid
