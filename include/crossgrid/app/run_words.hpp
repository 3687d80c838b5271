#pragma once

#include <string>
#include <vector>

namespace crossgrid {

/// Checks options of `run` that are handed on to jobs, so that a slip is found before the queue. Error(usage) as `run`
/// itself would say, or where one of them is not for jobs.
void check_run_words(const std::vector<std::string>& words);

}  // namespace crossgrid
