#pragma once

#include <string>

#include "crossgrid/app/sweep_context.hpp"

namespace crossgrid {

/// The sweep whose results are in an output folder. Error(bad_input) where there is no journal, or what the sweep names
/// has gone.
SweepContext recorded_sweep(const std::string& folder);

}  // namespace crossgrid
