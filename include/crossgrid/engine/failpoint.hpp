#pragma once

#include <atomic>
#include <string>
#include <vector>

/// Points in the program where tests make it fail, armed from the environment and compiled in always:
/// CROSSGRID_FAILPOINTS='executor.before_result=kill@3;worker.before_forward=delay(50)'. Actions: kill (SIGKILL to
/// itself), abort, exit(code), hang, delay(milliseconds), error (throws Error). "@n": only at the n-th passage;
/// "@1/n": at one of n passages at random. CROSSGRID_FAILPOINT_LOG names a file that gets a line of JSON each time one
/// fires (name, monotonic time, process and parent), before it does.
namespace crossgrid {

/// All names there are, with what each stands for.
struct FailpointName {
  const char* name;
  const char* where;
};
const std::vector<FailpointName>& failpoint_names();

/// Arms what the text says, nothing else; throws Error(usage) for an unknown name or action, naming those there are.
void arm_failpoints(const std::string& text);
/// Arms from CROSSGRID_FAILPOINTS; to be called once at the start of the program.
void arm_failpoints_from_environment();

namespace detail {
extern std::atomic<bool> failpoints_armed;
void pass_armed_failpoint(const char* name);
}  // namespace detail

/// One relaxed load when nothing is armed.
inline void failpoint(const char* name) {
  if (detail::failpoints_armed.load(std::memory_order_relaxed)) detail::pass_armed_failpoint(name);
}

}  // namespace crossgrid
