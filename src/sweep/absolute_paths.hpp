#pragma once

#include <string>

#include "crossgrid/base/json.hpp"

namespace crossgrid {

/// A value with the files that it names as absolute paths, beside `file`. `name` is a parameter ("adc.table",
/// "adc.table@/conv*"), linked ones ("adc.bits, adc.table"), "layers", or the name of settings; lists of values too.
Json absolute_paths(const std::string& name, const Json& value, const std::string& file);

}  // namespace crossgrid
