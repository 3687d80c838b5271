#pragma once

#include <string>
#include <string_view>

namespace crossgrid {

/// Control characters as \u001b, line ends too: a terminal must not obey what somebody else's file says.
std::string without_control_characters(std::string_view text);

/// The same of a text that may have several lines.
std::string lines_without_control_characters(std::string_view text);

}  // namespace crossgrid
