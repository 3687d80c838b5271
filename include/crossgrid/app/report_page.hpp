#pragma once

#include <string>

#include "crossgrid/engine/database_file.hpp"

namespace crossgrid {

/// The page that `crossgrid report` writes: one HTML file that needs no other and no network, runs no script and shows
/// every text of the database escaped. The same database gives the same bytes.
///
/// `crossings` is crossings.jsonl, null where there is none. `summary` and `sweep` are summary.json and sweep.json,
/// null where they are missing. `pareto` names objectives
/// ("max:top1.mean,min:adc.bits"); empty: the first metric against the first numeric axis that costs (ADC bits and the
/// like), if there is one.
std::string report_page(const DatabaseFile& file, const DatabaseTable* crossings, const Json& summary,
                        const Json& sweep, const std::string& pareto);

}  // namespace crossgrid
