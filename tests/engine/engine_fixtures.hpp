#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "crossgrid/engine/run_engine.hpp"

/// What the engine's tests with real processes share: a source, a sink, options with a test program as executor.
namespace crossgrid::engine_test {

/// Points 0 to n-1, trial 0.
class PointSource : public UnitSource {
 public:
  explicit PointSource(std::uint64_t total) : total_(total) {}
  std::optional<PlannedUnit> next() override {
    if (next_ == total_) return std::nullopt;
    return PlannedUnit{Unit{next_++, 0, 0, 1}, 1};
  }
  std::uint64_t total() const override { return total_; }

 private:
  std::uint64_t next_ = 0;
  std::uint64_t total_;
};

/// Keeps results; durable at the next poll.
class MemorySink : public ResultSink {
 public:
  void append(std::vector<UnitResult> results, std::function<void()> durable) override {
    if (fail_after >= 0 && static_cast<int>(all.size()) > fail_after) {
      throw Error(ExitCode::storage, "the test's disk is full");
    }
    all.insert(all.end(), results.begin(), results.end());
    waiting_.push_back(std::move(durable));
  }
  void poll() override { flush(); }
  void flush() override {
    for (const auto& durable : std::exchange(waiting_, {})) durable();
  }

  std::vector<UnitResult> all;
  int fail_after = -1;

 private:
  std::vector<std::function<void()>> waiting_;
};

inline EngineOptions test_options() {
  EngineOptions options;
  options.executor_command = {CROSSGRID_ENGINE_TEST_PROGRAM, "executor"};
  options.worker.start_backoff = 0.01;
  return options;
}

inline std::size_t open_descriptors() {
  std::size_t count = 0;
  for (int descriptor = 0; descriptor < 1024; ++descriptor) count += ::fcntl(descriptor, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

/// True where this process has no child at all, neither living nor a zombie.
inline bool has_no_child() {
  return ::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD;
}

/// A new empty folder for one test.
class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "crossgrid-engine-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

inline std::vector<nlohmann::json> read_lines(const std::string& path) {
  std::vector<nlohmann::json> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

/// How often each point has a result.
inline std::map<std::uint64_t, int> counts(const std::vector<UnitResult>& results) {
  std::map<std::uint64_t, int> count;
  for (const UnitResult& result : results) ++count[result.unit.point];
  return count;
}

}  // namespace crossgrid::engine_test
