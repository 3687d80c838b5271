#pragma once

#include <string>
#include <string_view>

namespace crossgrid {

/// The unit of the numbers of a parameter, of all layers or of some ("adc.bits@/conv*"): "bit", "ohm"; empty where they
/// have none, or depend on another parameter.
std::string parameter_unit(std::string_view path);

}  // namespace crossgrid
