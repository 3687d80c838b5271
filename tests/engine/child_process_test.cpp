#include "crossgrid/engine/child_process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <set>
#include <string>
#include <thread>

#include "engine/engine_fixtures.hpp"

namespace crossgrid::engine_test {
namespace {

using testing::HasSubstr;
using testing::Not;

/// A shell script as the executor: its descriptors, environment and end can be looked at.
std::unique_ptr<ChildProcess> start_script(const std::string& script) {
  return ChildProcess::start({"/bin/sh", "-c", script}, {"CROSSGRID_EXECUTOR_THREADS=3"});
}

ExecutorDied await_death(ChildProcess& child) {
  while (true) {
    for (ExecutorEvent& event : child.look()) {
      if (auto* death = std::get_if<ExecutorDied>(&event)) return *death;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

TEST(ChildProcess, TellsHowItEndedWithItsLastLines) {
  const auto child = start_script("echo out; echo err >&2; exit 5");
  const ExecutorDied death = await_death(*child);
  EXPECT_EQ(death.how, "exited with code 5");
  EXPECT_EQ(death.log, "out\nerr");
  EXPECT_TRUE(has_no_child());
}

TEST(ChildProcess, KillsAStoppedProcess) {
  const auto child = start_script("kill -STOP $$");
  child->kill();
  EXPECT_EQ(await_death(*child).how, "killed by signal 9 (SIGKILL)");
}

TEST(ChildProcess, InheritsNothingThatItMustNotHave) {
  // Without CLOEXEC, as some library would, and of a number that the child gives to nothing of its own.
  const int leaky = ::fcntl(STDIN_FILENO, F_DUPFD, 20);
  ASSERT_GE(leaky, 20);
  ::setenv("OMPI_COMM_WORLD_RANK", "1", 1);
  ::setenv("PMIX_RANK", "1", 1);
  std::signal(SIGTERM, SIG_IGN);
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  ::sigprocmask(SIG_BLOCK, &blocked, &before);
  const auto child = start_script(
      // grep looks at itself: the shell blocks signals while it forks.
      "env; ls -l /proc/$$/fd; grep -E 'Sig(Blk|Ign)' /proc/self/status; cut -d' ' -f5 /proc/$$/stat; echo $$");
  const std::string log = await_death(*child).log;
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  std::signal(SIGTERM, SIG_DFL);
  ::unsetenv("OMPI_COMM_WORLD_RANK");
  ::unsetenv("PMIX_RANK");
  ::close(leaky);
  EXPECT_THAT(log, Not(HasSubstr("OMPI_COMM_WORLD_RANK")));
  EXPECT_THAT(log, Not(HasSubstr("PMIX_RANK")));
  EXPECT_THAT(log, HasSubstr("CROSSGRID_EXECUTOR_THREADS=3"));
  EXPECT_THAT(log, HasSubstr(" 0 -> /dev/null"));
  EXPECT_THAT(log, HasSubstr(" 3 -> socket:"));
  std::set<std::string> open;
  for (std::size_t at = 0; (at = log.find(" -> ", at)) != std::string::npos; ++at) {
    const std::size_t space = log.rfind(' ', at - 1);
    open.insert(log.substr(space + 1, at - space - 1));
  }
  EXPECT_THAT(open, testing::ElementsAre("0", "1", "2", "3"));
  EXPECT_THAT(log, HasSubstr("SigBlk:\t0000000000000000"));
  // The C library ignores its own two, 32 and 33, in whatever it spawns.
  const std::uint64_t ignored = std::stoull(log.substr(log.find("SigIgn:\t") + 8), nullptr, 16);
  EXPECT_EQ(ignored & ~std::uint64_t{0x1'8000'0000}, 0u);
  const std::string leader = log.substr(log.rfind('\n') + 1);
  EXPECT_THAT(log, HasSubstr("\n" + leader + "\n" + leader)) << "it must lead its own process group";
}

TEST(ChildProcess, IsKilledAndReapedByDestruction) {
  const std::size_t descriptors = open_descriptors();
  { const auto child = start_script("sleep 1000"); }
  EXPECT_TRUE(has_no_child());
  EXPECT_EQ(open_descriptors(), descriptors);
}

TEST(ChildProcess, LeaksNothingWhereTheProgramIsMissing) {
  const std::size_t descriptors = open_descriptors();
  EXPECT_THROW(ChildProcess::start({"/no/such/program"}, {}), std::system_error);
  EXPECT_EQ(open_descriptors(), descriptors);
  EXPECT_TRUE(has_no_child());
}

TEST(LastLines, KeepsTheLastFiftyAndCutsLongOnes) {
  LastLines lines;
  for (int i = 0; i < 200; ++i) {
    const std::string text = "line " + std::to_string(i) + "\n";
    lines.add(text.data(), 3);  // pieces need not be lines
    lines.add(text.data() + 3, text.size() - 3);
  }
  EXPECT_THAT(lines.text(), testing::StartsWith("line 150\n"));
  EXPECT_THAT(lines.text(), testing::EndsWith("\nline 199"));
  const std::string longer(5000, 'x');
  lines.add(longer.data(), longer.size());
  EXPECT_THAT(lines.text(), testing::EndsWith("\n" + std::string(1000, 'x')));
  EXPECT_THAT(lines.text(), testing::StartsWith("line 151\n"));
}

}  // namespace
}  // namespace crossgrid::engine_test
