#include "crossgrid/engine/failpoint.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>
#include <string_view>
#include <thread>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/whole_number.hpp"

namespace crossgrid {
namespace detail {
std::atomic<bool> failpoints_armed{false};
}

namespace {

enum class Action { kill, abort, exit, hang, delay, error };

struct Trap {
  Action action = Action::kill;
  int argument = 0;          ///< exit code or milliseconds
  std::uint64_t at = 0;      ///< passage, from 1; 0: every one
  std::uint64_t one_in = 0;  ///< at random, once in so many passages; 0: not at random
  std::uint64_t passages = 0;
};

std::mutex traps_mutex;
std::map<std::string, Trap, std::less<>> traps;
std::minstd_rand dice{std::random_device{}()};

[[noreturn]] void refuse(const std::string& entry, const std::string& problem) {
  throw Error(ExitCode::usage, "CROSSGRID_FAILPOINTS: '" + entry + "': " + problem);
}

std::uint64_t number(std::string_view text, const std::string& entry) {
  const auto value = whole_number<std::uint64_t>(text);
  if (!value) refuse(entry, "'" + std::string(text) + "' is not a number");
  return *value;
}

Trap parse_trap(std::string_view text, const std::string& entry) {
  static const std::map<std::string_view, Action> actions = {{"kill", Action::kill},   {"abort", Action::abort},
                                                             {"exit", Action::exit},   {"hang", Action::hang},
                                                             {"delay", Action::delay}, {"error", Action::error}};
  Trap trap;
  if (const auto at = text.find('@'); at != std::string_view::npos) {
    const std::string_view when = text.substr(at + 1);
    if (when.starts_with("1/")) {
      trap.one_in = number(when.substr(2), entry);
      if (trap.one_in == 0) refuse(entry, "one in 0 passages is not possible");
    } else {
      trap.at = number(when, entry);
    }
    text = text.substr(0, at);
  }
  if (const auto open = text.find('('); open != std::string_view::npos) {
    if (!text.ends_with(')')) refuse(entry, "the closing parenthesis is missing");
    trap.argument = static_cast<int>(number(text.substr(open + 1, text.size() - open - 2), entry));
    text = text.substr(0, open);
  }
  const auto action = actions.find(text);
  if (action == actions.end()) {
    refuse(entry, "unknown action '" + std::string(text) + "' (known: kill, abort, exit, hang, delay, error)");
  }
  trap.action = action->second;
  return trap;
}

void check_name(const std::string& name, const std::string& entry) {
  std::string known;
  for (const FailpointName& failpoint : failpoint_names()) {
    if (name == failpoint.name) return;
    known += (known.empty() ? "" : ", ") + std::string(failpoint.name);
  }
  refuse(entry, "unknown failpoint '" + name + "' (known: " + known + ")");
}

/// For tests that must know which traps were met. Nothing is said where the file can't be written: its reader will.
void log_firing(const char* name) {
  const char* path = std::getenv("CROSSGRID_FAILPOINT_LOG");
  if (path == nullptr) return;
  const double now = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  const std::string line = fmt::format(R"({{"failpoint":"{}","time":{:.6f},"process":{},"parent":{}}})"
                                       "\n",
                                       name, now, ::getpid(), ::getppid());
  const int file = ::open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) return;
  [[maybe_unused]] const ssize_t written = ::write(file, line.data(), line.size());
  ::close(file);
}

void fire(const Trap& trap, const char* name) {
  log_firing(name);
  switch (trap.action) {
    case Action::kill:
      ::kill(::getpid(), SIGKILL);
      break;
    case Action::abort:
      std::abort();
    case Action::exit:
      std::_Exit(trap.argument);
    case Action::hang:
      while (true) ::pause();
    case Action::delay:
      std::this_thread::sleep_for(std::chrono::milliseconds(trap.argument));
      break;
    case Action::error:
      throw Error(ExitCode::internal, "failpoint " + std::string(name));
  }
}

}  // namespace

const std::vector<FailpointName>& failpoint_names() {
  static const std::vector<FailpointName> names = {
      {"executor.before_load", "an executor process has been told its job, nothing of it is loaded"},
      {"executor.after_start", "a unit is marked as started, nothing of it is done"},
      {"executor.before_result", "units are done, their results not sent to the worker"},
      {"worker.before_spawn", "a worker is about to start an executor process"},
      {"worker.before_forward", "results have reached the worker, not rank 0"},
      {"scheduler.before_append", "results have reached rank 0, not the journal"},
      {"journal.after_append", "results are in the journal's file, not on the disk"},
      {"journal.after_sync", "results are on the disk, the scheduler does not know it yet"},
      {"database.before_write", "the run has ended, the database is not written"},
      {"database.after_write", "the database is written, the folder is not given back"},
  };
  return names;
}

void arm_failpoints(const std::string& text) {
  std::map<std::string, Trap, std::less<>> armed;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string entry(rest.substr(0, rest.find(';')));
    rest.remove_prefix(std::min(rest.size(), entry.size() + 1));
    if (entry.empty()) continue;
    const auto equals = entry.find('=');
    if (equals == std::string::npos) refuse(entry, "expected name=action");
    const std::string name = entry.substr(0, equals);
    check_name(name, entry);
    armed[name] = parse_trap(std::string_view(entry).substr(equals + 1), entry);
  }
  const std::scoped_lock lock(traps_mutex);
  traps = std::move(armed);
  detail::failpoints_armed.store(!traps.empty(), std::memory_order_relaxed);
}

void arm_failpoints_from_environment() {
  if (const char* text = std::getenv("CROSSGRID_FAILPOINTS")) arm_failpoints(text);
}

void detail::pass_armed_failpoint(const char* name) {
  Trap trap;
  {
    const std::scoped_lock lock(traps_mutex);
    const auto found = traps.find(std::string_view(name));
    if (found == traps.end()) return;
    ++found->second.passages;
    trap = found->second;
    if (trap.at != 0 && trap.passages != trap.at) return;
    if (trap.one_in != 0 && std::uniform_int_distribution<std::uint64_t>(1, trap.one_in)(dice) != 1) return;
  }
  fire(trap, name);
}

}  // namespace crossgrid
