#include "crossgrid/app/unit_lines.hpp"

#include <fmt/format.h>

#include <utility>

namespace crossgrid {

std::string unit_line(const UnitResult& result) {
  const Unit& unit = result.unit;
  std::string line = fmt::format("point {}, trial {}, images {} to {}: ", unit.point, unit.trial, unit.first,
                                 unit.first + unit.count - 1);
  if (result.status == UnitStatus::failed) {
    return line + fmt::format("failed after {} attempts: {}", result.attempts, result.reason);
  }
  line += fmt::format("done in {:.3g} s", result.seconds);
  if (!result.host.empty()) line += " on " + result.host;
  if (result.attempts > 1) line += fmt::format(", attempt {}", result.attempts);
  return line;
}

void UnitLines::append(std::vector<UnitResult> results, std::function<void()> durable) {
  for (const UnitResult& result : results) say_(unit_line(result));
  sink_.append(std::move(results), std::move(durable));
}

}  // namespace crossgrid
