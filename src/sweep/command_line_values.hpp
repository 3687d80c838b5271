#pragma once

#include <vector>

#include "crossgrid/sweep/sweep_file.hpp"
#include "document.hpp"

namespace crossgrid {

/// What --set name=value and --grid name=v1,v2 put over the file. Values are JSON, or bare words.
std::vector<DocumentLeaf> command_line_leaves(const SweepOverrides& overrides);

}  // namespace crossgrid
