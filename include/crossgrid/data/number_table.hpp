#pragma once

#include <string>

#include "crossgrid/base/matrix.hpp"

namespace crossgrid {

/// Numbers in rows and columns: an NPY file (one dimension: one row), or text with a line per row, numbers separated by
/// commas, '#' before comments. Error(bad_input) names the file and line, what was found and what was expected: finite
/// numbers, as many in each row.
MatrixD read_number_table(const std::string& path);

}  // namespace crossgrid
