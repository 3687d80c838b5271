#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <exception>
#include <vector>

namespace crossgrid::testing {

/// Runs `action` in so many processes at once; how many of them came to its end with true.
template <class Action>
int run_in_processes(int count, const Action& action) {
  std::vector<pid_t> children;
  for (int k = 0; k < count; ++k) {
    const pid_t child = ::fork();
    if (child == 0) {
      bool good = false;
      try {
        good = action();
      } catch (const std::exception&) {
        good = false;
      }
      ::_exit(good ? 0 : 1);
    }
    children.push_back(child);
  }
  int good = 0;
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    good += WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 1 : 0;
  }
  return good;
}

}  // namespace crossgrid::testing
