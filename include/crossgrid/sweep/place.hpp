#pragma once

#include <string>
#include <string_view>

#include "crossgrid/base/error.hpp"

namespace crossgrid {

/// Where something stands in a sweep, for messages: a file and a JSON pointer, or a command line flag.
struct Place {
  std::string file;
  std::string pointer;

  /// A member of the object or array that stands here ('~' and '/' escaped as RFC 6901 asks).
  Place operator/(std::string_view key) const {
    Place member{file, pointer + '/'};
    for (const char c : key) {
      if (c == '~') {
        member.pointer += "~0";
      } else if (c == '/') {
        member.pointer += "~1";
      } else {
        member.pointer += c;
      }
    }
    return member;
  }
  Place operator/(std::size_t index) const { return *this / std::to_string(index); }

  std::string text() const { return pointer.empty() ? file : file + ": " + pointer; }
  Error error(const std::string& problem) const { return input_error(text(), problem); }
};

}  // namespace crossgrid
