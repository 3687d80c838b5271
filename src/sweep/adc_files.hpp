#pragma once

#include <string>

#include "crossgrid/base/json.hpp"
#include "crossgrid/sweep/place.hpp"

/// Files that ADC parameters name (docs/sweep-file.md). What they hold is the parameter's canonical value, so that
/// points are identified by content.
namespace crossgrid {

/// A list of levels, or {"levels", "thresholds"} where the file has thresholds. Error(bad_input) names file and
/// pointer.
Json read_adc_levels(const std::string& path, const Place& place);

/// {"value", "mean", "sigma"}: lists of the same length. CSV (lines of three numbers, with or without the header
/// value,mean,sigma; '#' begins a comment) or JSON. Error(bad_input) names file and line or pointer.
Json read_adc_table(const std::string& path, const Place& place);

}  // namespace crossgrid
