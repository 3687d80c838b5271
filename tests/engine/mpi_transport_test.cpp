#include "crossgrid/engine/mpi_transport.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>

#include <array>
#include <csignal>
#include <sstream>
#include <thread>

#include "engine/engine_fixtures.hpp"

extern char** environ;

namespace crossgrid::engine_test {
namespace {

using nlohmann::json;

/// A run of the test program under a real mpirun.
class MpiRun {
 public:
  MpiRun(int ranks, const json& job, int units, std::vector<std::string> more = {}) : job_(job) {
    job_["ranks"] = folder / "ranks";
    std::ofstream(folder / "job") << job_;
    std::vector<std::string> words = {CROSSGRID_MPIEXEC,    "--oversubscribe", "--bind-to", "none", "-np",
                                      std::to_string(ranks)};
    words.insert(words.end(), more.begin(), more.end());
    for (const std::string& word : {std::string(CROSSGRID_ENGINE_TEST_PROGRAM), std::string("run"), folder / "job",
                                    std::to_string(units), folder / "results"}) {
      words.push_back(word);
    }
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    // So that tests/lsan.supp can name what Open MPI leaks.
    const char* sanitizer = std::getenv("ASAN_OPTIONS");
    ::setenv("ASAN_OPTIONS", (std::string(sanitizer ? sanitizer : "") + ":fast_unwind_on_malloc=0").c_str(), 1);
    ::setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
    ::setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 1, (folder / "stdout").c_str(), O_WRONLY | O_CREAT, 0644);
    ::posix_spawn_file_actions_addopen(&actions, 2, (folder / "stderr").c_str(), O_WRONLY | O_CREAT, 0644);
    const int error = ::posix_spawn(&id_, words[0].c_str(), &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw std::runtime_error("can't start " + words[0]);
  }
  ~MpiRun() {
    if (id_ <= 0) return;
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
  }
  MpiRun(const MpiRun&) = delete;
  MpiRun& operator=(const MpiRun&) = delete;

  /// The exit code of mpirun.
  int wait() {
    int status = 0;
    ::waitpid(std::exchange(id_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  pid_t id() const { return id_; }
  void signal(int number) const { ::kill(id_, number); }
  /// Waits until so many results are in the file.
  void await_results(std::size_t count) const {
    while (read_lines(folder / "results").size() < count) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  std::vector<pid_t> worker_ranks() const {
    std::vector<pid_t> ranks;
    std::ifstream file(folder / "ranks");
    for (pid_t rank = 0; file >> rank;) ranks.push_back(rank);
    return ranks;
  }
  json outcome() const {
    const auto lines = read_lines(folder / "stdout");
    return lines.empty() ? json() : lines.front();
  }
  std::string errors() const {
    std::ifstream file(folder / "stderr");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// Each point exactly once, with its own value.
  void expect_all_once(std::size_t units) const {
    std::map<int, int> count;
    for (const json& line : read_lines(folder / "results")) {
      ++count[line["point"]];
      EXPECT_FALSE(line["failed"].get<bool>()) << line;
      EXPECT_EQ(line["value"], 3.0 * line["point"].get<double>());
    }
    EXPECT_EQ(count.size(), units) << errors();
    for (const auto& [point, times] : count) EXPECT_EQ(times, 1) << "point " << point;
  }

  const TestFolder folder;

 private:
  json job_;
  pid_t id_ = -1;
};

TEST(MpiTransport, RunsEveryUnitOnceWithAnyNumberOfRanks) {
  for (const int ranks : {1, 2, 3}) {
    MpiRun run(ranks, json::object(), 2000);
    EXPECT_EQ(run.wait(), 0) << run.errors();
    run.expect_all_once(2000);
    EXPECT_EQ(run.outcome()["leaked_descriptors"], 0);
  }
}

TEST(MpiTransport, SendsAJobOfSeveralMegabytes) {
  MpiRun run(3, {{"ballast", std::string(5'000'000, 'x')}}, 10);
  EXPECT_EQ(run.wait(), 0) << run.errors();
  run.expect_all_once(10);
}

TEST(MpiTransport, ReportsAJobThatCanNotBeRunOnce) {
  MpiRun run(3, {{"refuse", "no such file"}}, 100);
  EXPECT_EQ(run.wait(), 4);
  EXPECT_EQ(run.outcome()["message"], "no such file");
}

TEST(MpiTransport, FinishesInTheSameJobWhenAWorkerIsKilled) {
  MpiRun run(3, {{"nap", 0.005}, {"options", {{"lease", 1}}}}, 300, {"--enable-recovery"});
  run.await_results(50);
  ::kill(run.worker_ranks().at(0), SIGKILL);
  run.wait();  // the launcher's exit code is worth nothing after a loss
  run.expect_all_once(300);
  EXPECT_EQ(run.outcome()["end"], static_cast<int>(EngineEnd::complete));
  EXPECT_EQ(run.outcome()["lost"], true);
}

TEST(MpiTransport, FinishesInTheSameJobWhenAWorkerIsStopped) {
  MpiRun run(3, {{"nap", 0.005}, {"options", {{"lease", 1}}}}, 300, {"--enable-recovery"});
  run.await_results(50);
  ::kill(run.worker_ranks().at(1), SIGSTOP);
  run.wait();
  run.expect_all_once(300);
  EXPECT_EQ(run.outcome()["end"], static_cast<int>(EngineEnd::complete));
}

TEST(MpiTransport, TakesAWorkerBackThatWasStoppedForLongerThanItsLease) {
  MpiRun run(3, {{"nap", 0.01}, {"options", {{"lease", 0.5}, {"worker_lease", 30}}}}, 600, {"--enable-recovery"});
  run.await_results(50);
  const pid_t rank = run.worker_ranks().at(1);
  ::kill(rank, SIGSTOP);
  while (run.errors().find("silent") == std::string::npos) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  ::kill(rank, SIGCONT);
  EXPECT_EQ(run.wait(), 0) << run.errors();
  run.expect_all_once(600);
  EXPECT_THAT(run.errors(), testing::HasSubstr("is back"));
}

/// Not gone, and no zombie that nobody has reaped.
bool lives(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t name_end = text.rfind(')');
  return name_end != std::string::npos && text.substr(name_end + 2, 1) != "Z";
}

TEST(MpiTransport, WorkersWaitForARankZeroThatLoadsForLongerThanTheirLease) {
  const json patience = {{"worker_lease", 1}};
  MpiRun run(2, {{"load", 2.5}, {"options", patience}}, 20, {"--enable-recovery"});
  EXPECT_EQ(run.wait(), 0) << run.errors();
  run.expect_all_once(20);
  // The twin: without signs of life they go.
  MpiRun mute(2, {{"load", 2.5}, {"mute", true}, {"options", patience}}, 20, {"--enable-recovery"});
  EXPECT_NE(mute.wait(), 0);
  EXPECT_TRUE(read_lines(mute.folder / "results").empty());
}

TEST(MpiTransport, WorkersEndWhenRankZeroIsKilled) {
  MpiRun run(3, {{"nap", 0.01}, {"options", {{"worker_lease", 1}}}}, 5000, {"--enable-recovery"});
  run.await_results(20);
  const std::vector<pid_t> workers = run.worker_ranks();
  std::ifstream children("/proc/" + std::to_string(run.id()) + "/task/" + std::to_string(run.id()) + "/children");
  for (pid_t child = 0; children >> child;) {
    if (std::ranges::find(workers, child) == workers.end()) ::kill(child, SIGKILL);
  }
  run.wait();  // or the test times out
  for (int i = 0; i < 500 && std::ranges::any_of(workers, lives); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  for (const pid_t worker : workers) EXPECT_FALSE(lives(worker));
}

TEST(MpiTransport, KeepsWhatIsDoneWhenMpirunIsTerminated) {
  MpiRun run(3, {{"nap", 0.05}}, 5000);
  run.await_results(20);
  run.signal(SIGTERM);
  run.wait();
  EXPECT_EQ(run.outcome()["end"], static_cast<int>(EngineEnd::stopped));
  EXPECT_EQ(run.outcome()["done"], read_lines(run.folder / "results").size());
}

TEST(MpiTransport, StopsAtSlurmsWarningSignal) {
  MpiRun run(3, {{"nap", 0.05}}, 5000);
  run.await_results(20);
  run.signal(SIGUSR1);  // mpirun passes it on to all ranks
  EXPECT_EQ(run.wait(), 75);
  EXPECT_EQ(run.outcome()["signal"], SIGUSR1);
  EXPECT_EQ(run.outcome()["lost"], false);
}

/// User and system time of a process [s].
double processor_seconds(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string text{std::istreambuf_iterator<char>(file), {}}, word;
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  for (int i = 3; i < 14; ++i) fields >> word;  // the state is field 3, utime 14
  double user = 0, system = 0;
  if (!(fields >> user >> system)) throw std::runtime_error("no times in " + text);
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

TEST(MpiTransport, RanksThatWaitUseNoCore) {
  TestFolder folder;
  MpiRun run(3, {{"nap", 300}, {"history", folder / "history"}}, 1);
  while (read_lines(folder / "history").empty()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  std::vector<pid_t> ranks;  // rank 0 too
  std::ifstream children("/proc/" + std::to_string(run.id()) + "/task/" + std::to_string(run.id()) + "/children");
  for (pid_t child = 0; children >> child;) ranks.push_back(child);
  ASSERT_EQ(ranks.size(), 3u);
  std::map<pid_t, double> before;
  for (const pid_t rank : ranks) before[rank] = processor_seconds(rank);
  std::this_thread::sleep_for(std::chrono::seconds(2));
  for (const pid_t rank : ranks) EXPECT_LT(processor_seconds(rank) - before[rank], 0.2);
  run.signal(SIGTERM);
  run.wait();
}

TEST(MpiTransport, SurvivesItsFailpointsInWorkers) {
  ::setenv("CROSSGRID_FAILPOINTS", "worker.before_forward=delay(100)@3", 1);
  MpiRun run(3, json::object(), 500);
  ::unsetenv("CROSSGRID_FAILPOINTS");
  EXPECT_EQ(run.wait(), 0) << run.errors();
  run.expect_all_once(500);
}

}  // namespace
}  // namespace crossgrid::engine_test
