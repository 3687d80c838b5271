#include "crossgrid/engine/run_engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <random>
#include <thread>

#include "engine/engine_fixtures.hpp"

namespace crossgrid::engine_test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// One run in this process with its one executor; checks what holds after every run.
struct LocalRun {
  LocalRun(const json& job, std::uint64_t units, EngineOptions options = test_options(),
           std::function<void(const EngineProgress&)> progress = {}) {
    const std::size_t descriptors = open_descriptors();
    options.warn = [this](const std::string& text) { warnings += text + "\n"; };
    PointSource source(units);
    outcome = run_engine(nullptr, options, source, sink, job.dump(), progress);
    EXPECT_EQ(open_descriptors(), descriptors);
    EXPECT_TRUE(has_no_child());
    for (const auto& [point, count] : counts(sink.all)) EXPECT_EQ(count, 1) << "point " << point;
  }
  const UnitResult& of_point(std::uint64_t point) const {
    for (const UnitResult& result : sink.all) {
      if (result.unit.point == point) return result;
    }
    throw std::runtime_error("no result of point " + std::to_string(point));
  }

  MemorySink sink;
  EngineOutcome outcome;
  std::string warnings;
};

TEST(RunEngine, RunsEveryUnitOnceInOneProcess) {
  const LocalRun run(json::object(), 1000);
  EXPECT_EQ(run.outcome.end, EngineEnd::complete);
  EXPECT_EQ(run.outcome.code, ExitCode::success);
  ASSERT_EQ(run.sink.all.size(), 1000u);
  EXPECT_EQ(run.outcome.progress.durable, 1000u);
  for (const UnitResult& result : run.sink.all) {
    EXPECT_EQ(result.attempts, 1u);
    EXPECT_EQ(result.metrics.at("value").mean(), 3.0 * static_cast<double>(result.unit.point));
  }
}

TEST(RunEngine, SendsAJobOfSeveralMegabytes) {
  const LocalRun run({{"ballast", std::string(5'000'000, 'x')}}, 3);
  EXPECT_EQ(run.outcome.end, EngineEnd::complete);
}

TEST(RunEngine, EndsAtOnceWithoutUnits) {
  const LocalRun run(json::object(), 0);
  EXPECT_EQ(run.outcome.end, EngineEnd::complete);
}

TEST(RunEngine, RecordsPoisonUnitsAsFailedWithTheReasonAndSparesTheOthers) {
  EngineOptions options = test_options();
  options.worker.silence_limit = 0.4;
  const std::map<std::string, std::string> actions = {{"5", "segv"},   {"20", "kill"}, {"21", "exit"},
                                                      {"33", "throw"}, {"40", "hang"}, {"50", "stop"}};
  const LocalRun run({{"actions", actions}}, 100, options);
  EXPECT_EQ(run.outcome.end, EngineEnd::complete);
  EXPECT_EQ(run.outcome.code, ExitCode::failed_points);
  EXPECT_EQ(run.outcome.progress.failed, actions.size());
  EXPECT_EQ(run.outcome.progress.retried, 2 * actions.size());
  const std::map<std::uint64_t, std::string> reasons = {
      {5, "killed by signal 11 (SIGSEGV)"}, {20, "killed by signal 9 (SIGKILL)"}, {21, "exited with code 3"},
      {33, "the test threw this"},          {40, "no sign of life for 0.4 s"},    {50, "no sign of life for 0.4 s"}};
  for (std::uint64_t point = 0; point < 100; ++point) {
    const UnitResult& result = run.of_point(point);
    const bool poison = reasons.contains(point);
    EXPECT_EQ(result.status, poison ? UnitStatus::failed : UnitStatus::done) << point;
    EXPECT_EQ(result.attempts, poison ? 3u : 1u) << point;
    if (!poison) continue;
    EXPECT_THAT(result.reason, HasSubstr(reasons.at(point)));
    const std::map<std::uint64_t, int> signals = {{5, SIGSEGV}, {20, SIGKILL}, {21, 0},
                                                  {33, 0},      {40, SIGKILL}, {50, SIGKILL}};
    EXPECT_EQ(result.signal, signals.at(point));
    if (point != 33) {  // its executor lived on: no log
      EXPECT_THAT(result.log, HasSubstr("now point " + std::to_string(point)));
    }
  }
}

TEST(RunEngine, RepeatsAUnitThatFailedOnce) {
  const TestFolder folder;
  const LocalRun run({{"actions", {{"3", "kill"}, {"7", "throw"}}}, {"once", folder.path()}}, 20);
  EXPECT_EQ(run.outcome.code, ExitCode::success);
  EXPECT_EQ(run.of_point(3).attempts, 2u);
  EXPECT_EQ(run.of_point(7).attempts, 2u);
  EXPECT_EQ(run.of_point(4).attempts, 1u);
}

TEST(RunEngine, KillsAUnitThatBeatsButDoesNotEnd) {
  EngineOptions options = test_options();
  options.scheduler.retries = 0;
  options.scheduler.first_time_limit = 0.3;
  const LocalRun run({{"nap", 3600}}, 1, options);
  EXPECT_THAT(run.of_point(0).reason, HasSubstr("not done in its time limit of 0.3 s"));
}

/// Processes of the test program, of whatever parent, that belong to a process's runs. Zombies have no command line.
std::size_t executors_left(pid_t owner = ::getpid()) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "cmdline");
    std::string program, argument, last;
    std::getline(file, program, '\0');
    while (std::getline(file, argument, '\0')) last = argument;
    count += program == CROSSGRID_ENGINE_TEST_PROGRAM && last == std::to_string(owner);
  }
  return count;
}

TEST(RunEngine, TakesGrandchildrenAlong) {
  EngineOptions options = test_options();
  options.scheduler.retries = 0;
  const LocalRun run({{"actions", {{"1", "grandchild"}}}}, 3, options);
  EXPECT_EQ(run.of_point(1).status, UnitStatus::failed);
  while (executors_left() > 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));  // or the test times out
}

TEST(RunEngine, ReportsAJobThatCanNotBeRunInsteadOfRetryingIt) {
  const LocalRun run({{"refuse", "sweep.json: /data: no such file"}}, 100);
  EXPECT_EQ(run.outcome.end, EngineEnd::refused);
  EXPECT_EQ(run.outcome.code, ExitCode::bad_input);
  EXPECT_EQ(run.outcome.message, "sweep.json: /data: no such file");
  EXPECT_TRUE(run.sink.all.empty());
}

TEST(RunEngine, EndsWithItsOwnCodeWhereTheOnlyHostIsUnfit) {
  const LocalRun run({{"unfit", "avx9 is asked for"}}, 100);
  EXPECT_EQ(run.outcome.end, EngineEnd::workers_lost);
  EXPECT_EQ(run.outcome.code, ExitCode::conflict);
  EXPECT_EQ(run.outcome.message, "avx9 is asked for");
  EXPECT_THAT(run.warnings, HasSubstr("gives up: avx9 is asked for"));
}

TEST(RunEngine, GivesUpOnAnExecutorThatDiesAtEveryStart) {
  const LocalRun run({{"die_at_start", true}}, 100);
  EXPECT_EQ(run.outcome.end, EngineEnd::workers_lost);
  EXPECT_EQ(run.outcome.code, ExitCode::internal);
  EXPECT_THAT(run.outcome.message, HasSubstr("does not start: killed by signal 9 (SIGKILL)"));
}

TEST(RunEngine, GivesUpOnAnExecutorThatDoesNotExist) {
  EngineOptions options = test_options();
  options.executor_command = {"/no/such/program"};
  const LocalRun run(json::object(), 100, options);
  EXPECT_THAT(run.outcome.message, HasSubstr("/no/such/program: No such file or directory"));
}

TEST(RunEngine, LosesAndRepeatsNothingWhenExecutorsAreKilledAtRandom) {
  const TestFolder folder;
  std::atomic<bool> over{false};
  std::atomic<int> kills{0};
  std::thread killer([&] {
    std::minstd_rand dice(7);
    const std::string children =
        "/proc/" + std::to_string(::getpid()) + "/task/" + std::to_string(::getpid()) + "/children";
    std::uintmax_t seen = 0;
    while (!over) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20 + dice() % 60));
      // An executor that has begun nothing yet is left alone: on a busy machine none would ever begin.
      std::error_code none;
      const std::uintmax_t size = std::filesystem::file_size(folder / "history", none);
      if (none || size == std::exchange(seen, size)) continue;
      std::ifstream file(children);
      pid_t child = 0;
      if (file >> child && ::kill(child, SIGKILL) == 0) ++kills;
    }
  });
  EngineOptions options = test_options();
  options.scheduler.retries = 1000;
  options.scheduler.retry_wait = 0;
  options.worker.start_attempts = 1000;
  const LocalRun run({{"nap", 0.002}, {"history", folder / "history"}}, 500, options);
  over = true;
  killer.join();
  EXPECT_EQ(run.outcome.code, ExitCode::success);
  EXPECT_EQ(run.sink.all.size(), 500u);
  EXPECT_GT(kills, 5);
  // By the executors' own account: what was started again was in flight, or in a group of results, at a kill.
  std::size_t starts = 0;
  for (const json& line : read_lines(folder / "history")) starts += line["what"] == "start";
  EXPECT_LE(starts, 500u + static_cast<std::size_t>(kills) * 12);
}

TEST(RunEngine, StopsAtTheFirstSignalWithUnitsInFlightKept) {
  const TestFolder folder;
  bool raised = false;
  const LocalRun run({{"nap", 0.02}, {"history", folder / "history"}}, 500, test_options(),
                     [&](const EngineProgress& progress) {
                       if (progress.done > 10 && !std::exchange(raised, true)) std::raise(SIGINT);
                     });
  EXPECT_EQ(run.outcome.end, EngineEnd::stopped);
  EXPECT_EQ(run.outcome.code, ExitCode::to_be_continued);
  EXPECT_EQ(run.outcome.signal, SIGINT);
  std::size_t starts = 0;
  for (const json& line : read_lines(folder / "history")) starts += line["what"] == "start";
  EXPECT_EQ(run.sink.all.size(), starts);
  EXPECT_LT(starts, 500u);
  EXPECT_EQ(run.outcome.progress.durable, starts);
}

TEST(RunEngine, StopsAtOnceAtTheSecondSignal) {
  int raised = 0;
  const LocalRun run({{"nap", 3600}, {"actions", json::object()}}, 5, test_options(),
                     [&](const EngineProgress& progress) {
                       if (progress.in_flight > 0 && raised++ < 2) std::raise(SIGTERM);
                     });
  EXPECT_EQ(run.outcome.end, EngineEnd::stopped);
  EXPECT_TRUE(run.sink.all.empty());
}

void expect_storage_error(std::uint64_t units, int fail_after) {
  MemorySink sink;
  sink.fail_after = fail_after;
  PointSource source(units);
  try {
    run_engine(nullptr, test_options(), source, sink, R"({"nap": 0.001})", {});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::storage);
  }
  EXPECT_TRUE(has_no_child());
}

TEST(RunEngine, EndsItsExecutorWhenAResultCanNotBeStored) {
  expect_storage_error(1000, 5);
}

TEST(RunEngine, EndsItsExecutorWhenTheLastResultCanNotBeStored) {
  expect_storage_error(2, 0);
}

/// A run in a process of its own whose executor is in a unit of five minutes: it does not look at its socket.
struct BusyProgram {
  BusyProgram() {
    std::ofstream(folder / "job") << json{{"nap", 300}, {"history", folder / "history"}};
    const std::string job = folder / "job", output = folder / "out";
    program = ::fork();
    if (program == 0) {
      ::execl(CROSSGRID_ENGINE_TEST_PROGRAM, CROSSGRID_ENGINE_TEST_PROGRAM, "run", job.c_str(), "1000", output.c_str(),
              static_cast<char*>(nullptr));
      std::_Exit(127);
    }
    while (read_lines(folder / "history").empty()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    executor = read_lines(folder / "history").front()["process"];
  }
  ~BusyProgram() {
    kill();
    ::kill(executor, SIGKILL);  // none there, where all is well
  }
  BusyProgram(const BusyProgram&) = delete;
  BusyProgram& operator=(const BusyProgram&) = delete;
  void kill() {
    if (std::exchange(killed_, true)) return;
    ::kill(program, SIGKILL);
    ::waitpid(program, nullptr, 0);
  }

  const TestFolder folder;
  pid_t program = -1, executor = -1;

 private:
  bool killed_ = false;
};

TEST(RunEngine, LeavesNoExecutorWhenItIsKilledItself) {
  BusyProgram run;
  EXPECT_EQ(executors_left(run.program), 1u);
  run.kill();
  for (int i = 0; i < 500 && executors_left(run.program) > 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(executors_left(run.program), 0u);
}

int oom_score_adjustment(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/oom_score_adj");
  int adjustment = 0;
  if (!(file >> adjustment)) throw std::runtime_error("no oom_score_adj");
  return adjustment;
}

TEST(RunEngine, OffersItsExecutorFirstWhenMemoryRunsOut) {
  const BusyProgram run;
  EXPECT_GT(oom_score_adjustment(run.executor), 0);
}

TEST(RunEngine, PassesItsFailpoints) {
  for (const std::string where : {"executor.before_result", "executor.after_start"}) {
    ::setenv("CROSSGRID_FAILPOINTS", (where + "=kill@5").c_str(), 1);
    EngineOptions options = test_options();
    options.scheduler.retries = 1000;
    const LocalRun run({{"nap", 0.003}}, 30, options);
    ::unsetenv("CROSSGRID_FAILPOINTS");
    EXPECT_EQ(run.outcome.code, ExitCode::success) << where;
    EXPECT_GT(run.outcome.progress.retried, 0u) << where;
  }
}

TEST(AffinityWarning, ComesOnlyWhereCoresAreMissing) {
  EXPECT_EQ(affinity_warning(4, 4, true), "");
  EXPECT_EQ(affinity_warning(4, 4, false), "");
  EXPECT_THAT(affinity_warning(8, 1, true), HasSubstr("only 1 core where 8 threads are wanted: mpirun binds"));
  EXPECT_THAT(affinity_warning(8, 2, false), HasSubstr("only 2 cores where 8 threads are wanted: the machine has"));
  EXPECT_EQ(default_executor_threads(8, 3), 2);
  EXPECT_EQ(default_executor_threads(1, 4), 1);
}

}  // namespace
}  // namespace crossgrid::engine_test
