#pragma once

#include <string>

#include "crossgrid/app/sweep_context.hpp"
#include "crossgrid/engine/output_folder.hpp"

namespace crossgrid {

/// What a run of `context` asks of its output folder. `context` must outlive the request.
OutputRequest output_request(const SweepContext& context, const std::string& folder, const std::string& numeric_class,
                             const std::string& next_command, bool extend);

/// What the database says besides points, for a run and for `status` alike.
DatabaseRequest database_request(const SweepContext& context, const std::string& next_command);

}  // namespace crossgrid
