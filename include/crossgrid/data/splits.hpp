#pragma once

#include <string>
#include <vector>

#include "crossgrid/base/error.hpp"

namespace crossgrid {

/// Error(bad_input) where a split is not named by a plain word.
void check_split_name(const std::string& place, const std::string& split);

/// The error where `place` holds no such split: those that there are, or, without any, what was `expected`.
Error missing_split(const std::string& place, const std::string& split, const std::vector<std::string>& splits,
                    const std::string& expected);

/// Where Debian has a missing data set, to put behind the error; or nothing.
std::string debian_hint(const std::string& path);

/// 10000 -> "10,000", whatever the locale.
std::string grouped_digits(std::uint64_t number);

}  // namespace crossgrid
