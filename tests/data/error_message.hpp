#pragma once

#include <string>

#include "crossgrid/base/error.hpp"

namespace crossgrid::testing {

/// The message of the bad-input error that `action` throws; empty where it throws none.
template <class Action>
std::string bad_input_message(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code() == ExitCode::bad_input ? error.what() : std::string("another exit code: ") + error.what();
  }
  return "";
}

}  // namespace crossgrid::testing
