#include "crossgrid/sweep/bare_hardware.hpp"

#include "command_line_values.hpp"
#include "crossgrid/sweep/effective_hardware.hpp"
#include "crossgrid/sweep/model_ranges.hpp"
#include "crossgrid/sweep/parameter.hpp"
#include "crossgrid/sweep/problem_list.hpp"

namespace crossgrid {

LayerHardware bare_hardware(const std::vector<std::string>& settings) {
  constexpr std::string_view prefix = "hardware.";
  LayerHardware hardware;
  SweepOverrides overrides;
  overrides.set = settings;
  for (const DocumentLeaf& leaf : command_line_leaves(overrides)) {
    const Parameter* parameter =
        leaf.path.starts_with(prefix) ? find_parameter(std::string_view(leaf.path).substr(prefix.size())) : nullptr;
    if (!parameter) {
      throw leaf.place.error("is a field of a sweep, not a parameter of the hardware");
    }
    const Json value = parameter_value(*parameter, leaf.value, leaf.place);
    if (parameter->set) {
      parameter->set(hardware, value);
    }
  }
  ProblemList problems;
  for (const Impossible& found : impossible_hardware(hardware, {})) {
    problems.add(found.reason);
  }
  for (const Impossible& found : model_range_problems(hardware, {}, {})) {
    problems.add(found.reason);
  }
  problems.throw_if_any();
  return hardware;
}

}  // namespace crossgrid
