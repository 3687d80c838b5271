#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "crossgrid/base/json.hpp"

namespace crossgrid {

/// The JSON values that a parameter takes: any of the alternatives that are set.
struct ValueType {
  struct Integers {
    std::int64_t low = 1;
    std::int64_t high = std::numeric_limits<std::int32_t>::max();
  };
  struct Numbers {
    double low = 0;
    double high = std::numeric_limits<double>::infinity();
    bool low_open = false;   ///< low itself is refused
    bool high_open = false;  ///< high itself is refused
  };

  std::vector<std::string> words = {};
  bool boolean = false;
  std::optional<bool> only_boolean = {};  ///< one of the two
  std::optional<Integers> integer = {};
  std::optional<Numbers> number = {};  ///< takes JSON integers too
  bool limit = false;                  ///< {"limit": number > 0}
  bool interval = false;               ///< [lo, hi], lo < hi
  bool intervals = false;              ///< a list of [lo, hi]
  bool levels = false;                 ///< an ascending list of numbers in [0, 1]
  bool divisors = false;               ///< a list of integers >= 1
  bool path = false;                   ///< any other text: the path of a file
};

/// The value in the one form that is hashed and compared (rule R4): integers as 64-bit integers, other numbers as
/// double, -0 as 0. None where the type does not take the value.
std::optional<Json> canonical_value(const ValueType& type, const Json& value);

/// For messages: 'an integer 1..16 or "continuous"'.
std::string describe(const ValueType& type);

/// JSON Schema (draft-07) of the values.
Json value_schema(const ValueType& type);

/// Text of a canonical value, equal for equal values and only for those; independent of the locale.
std::string canonical_text(const Json& value);

/// The value as columns show it: a number without a fraction is an integer, so that 0 is not printed as "0.0".
Json column_value(const Json& value);

/// What was found, for messages: at most 60 bytes of the JSON.
std::string found_text(const Json& value);

}  // namespace crossgrid
