#pragma once

#include <string>

#include "crossgrid/app/error_budget.hpp"

namespace crossgrid {

/// What `crossgrid explain --budget` prints (docs/explain.md).
std::string budget_text(const ErrorBudget& budget);
/// A header and a line per row, one of them for the whole point; numbers in the shortest form that reads back.
std::string budget_csv(const ErrorBudget& budget);

}  // namespace crossgrid
