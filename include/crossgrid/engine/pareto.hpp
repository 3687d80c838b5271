#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crossgrid/engine/database_table.hpp"

namespace crossgrid {

/// A column to make as large or as small as can be.
struct Objective {
  std::string column;
  bool maximised = false;
};

/// Reads "max:top1.mean,min:adc.bits". Error(usage) shows what can't be read.
std::vector<Objective> parse_objectives(std::string_view text);

/// The rows that no other row equals or beats in all objectives and beats in one, in their order. Rows where an
/// objective is no number are left out. Error(bad_input): an unknown column.
std::vector<std::size_t> pareto_front(const DatabaseTable& table, const std::vector<Objective>& objectives);

}  // namespace crossgrid
