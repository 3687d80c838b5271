// A small program on the engine, for tests with real processes and a real mpirun:
//   engine_test_program run JOB_FILE UNITS OUTPUT_FILE      all units of a made-up sweep; prints what came of it
//   engine_test_program sweep JOB_FILE FOLDER               a made-up sweep into a journal and a database; may be
//   continued engine_test_program failpoints                          their names, one a line engine_test_program
//   executor --fd N --parent PID        its executor process
// The job is JSON: {"nap": seconds per unit, "actions": {"17": "kill", ...}, "once": folder, "history": file,
// "refuse": text, "unfit": text, "options": {"lease": ...}}. Actions happen when the unit of that point runs; with
// "once" only the first time. "load": seconds that rank 0 needs before it schedules, "mute": without a sign of life.
// The history is the test's own account of the starts and ends of units, as its runner sees them, for an independent
// check.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <thread>

#include "crossgrid/base/metric_sum.hpp"
#include "crossgrid/engine/executor_process.hpp"
#include "crossgrid/engine/failpoint.hpp"
#include "crossgrid/engine/journal_sink.hpp"
#include "crossgrid/engine/mpi_transport.hpp"
#include "crossgrid/engine/run_engine.hpp"
#include "crossgrid/engine/signs_of_life.hpp"
#include "engine/storage_sample.hpp"

namespace {

using nlohmann::json;
using namespace crossgrid;

void append_line(const std::string& path, const std::string& line) {
  const int file = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  const std::string text = line + "\n";
  if (file < 0 || ::write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size())) std::abort();
  ::close(file);
}

class TestRunner : public UnitRunner {
 public:
  explicit TestRunner(const json& job) : job_(job) {
    if (job_.contains("refuse")) throw Error(ExitCode::bad_input, job_["refuse"].get<std::string>());
    if (job_.contains("unfit")) throw UnfitHost(ExitCode::conflict, job_["unfit"].get<std::string>());
    if (job_.contains("die_at_start")) std::raise(SIGKILL);
  }

  UnitResult run(const Unit& unit, const std::function<void()>& heartbeat) override {
    note("start", unit);
    act(unit);
    sleep_beating(job_.value("nap", 0.0), heartbeat);
    UnitResult result;
    if (job_.contains("sweep")) {
      result = sample_result(unit.point, unit.trial, unit.first, unit.count);
    } else {
      result.metrics["value"].add(static_cast<double>(3 * unit.point + unit.trial));
    }
    note("end", unit);
    return result;
  }

 private:
  void note(const char* what, const Unit& unit) {
    if (!job_.contains("history")) return;
    const double now = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
    const json line = {{"what", what}, {"point", unit.point},   {"trial", unit.trial},  {"first", unit.first},
                       {"time", now},  {"process", ::getpid()}, {"parent", ::getppid()}};
    append_line(job_["history"], line.dump());
  }

  static void sleep_beating(double seconds, const std::function<void()>& heartbeat) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    while (std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(
          std::min(std::chrono::duration<double>(seconds), std::chrono::duration<double>(0.05)));
      heartbeat();
    }
  }

  bool first_time(std::uint64_t point) const {
    const std::string path = job_["once"].get<std::string>() + "/" + std::to_string(point);
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file >= 0) ::close(file);
    return file >= 0;
  }

  void act(const Unit& unit) {
    const std::string key = std::to_string(unit.point);
    if (!job_.contains("actions") || !job_["actions"].contains(key)) return;
    if (job_.contains("once") && !first_time(unit.point)) return;
    const std::string action = job_["actions"][key];
    std::fprintf(stderr, "now point %s: %s\n", key.c_str(), action.c_str());
    if (action == "kill") std::raise(SIGKILL);
    if (action == "segv") {
      std::signal(SIGSEGV, SIG_DFL);  // sanitizers have a handler of their own
      std::raise(SIGSEGV);
    }
    if (action == "stop") std::raise(SIGSTOP);
    if (action == "exit") std::_Exit(3);
    if (action == "throw") throw std::runtime_error("the test threw this");
    if (action == "hang") std::this_thread::sleep_for(std::chrono::hours(1));
    if (action == "grandchild" && ::fork() == 0) std::this_thread::sleep_for(std::chrono::hours(1));
    if (action == "grandchild") std::raise(SIGKILL);
  }

  json job_;
};

class CountedUnits : public UnitSource {
 public:
  explicit CountedUnits(std::uint64_t total) : total_(total) {}
  std::optional<PlannedUnit> next() override {
    if (next_ == total_) return std::nullopt;
    Unit unit;
    unit.point = next_++;
    return PlannedUnit{unit, 1};
  }
  std::uint64_t total() const override { return total_; }

 private:
  std::uint64_t next_ = 0;
  std::uint64_t total_;
};

/// One line per result, synced before it is acknowledged.
class LineSink : public ResultSink {
 public:
  explicit LineSink(const std::string& path)
      : file_(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644)) {
    if (file_ < 0) throw Error(ExitCode::storage, path + ": can't be opened");
  }
  ~LineSink() override { ::close(file_); }

  void append(std::vector<UnitResult> results, std::function<void()> durable) override {
    std::string lines;
    for (const UnitResult& result : results) {
      json line = {{"point", result.unit.point},
                   {"failed", result.status == UnitStatus::failed},
                   {"attempts", result.attempts},
                   {"reason", result.reason}};
      if (result.metrics.contains("value")) line["value"] = result.metrics.at("value").mean();
      lines += line.dump() + "\n";
    }
    if (::write(file_, lines.data(), lines.size()) != static_cast<ssize_t>(lines.size())) {
      throw Error(ExitCode::storage, "can't write a result");
    }
    waiting_.push_back(std::move(durable));
  }
  void poll() override { flush(); }
  void flush() override {
    if (waiting_.empty()) return;
    ::fdatasync(file_);
    for (const auto& durable : std::exchange(waiting_, {})) durable();
  }

 private:
  int file_;
  std::vector<std::function<void()>> waiting_;
};

EngineOptions read_options(const json& job) {
  EngineOptions options;
  const json given = job.value("options", json::object());
  options.scheduler.retries = given.value("retries", 2);
  if (given.contains("lease")) set_lease(options, given["lease"]);
  options.scheduler.grace = given.value("grace", options.scheduler.grace);
  options.scheduler.time_limit = given.value("time_limit", options.scheduler.time_limit);
  options.scheduler.batch_units = given.value("batch_units", options.scheduler.batch_units);
  options.worker.silence_limit = given.value("silence_limit", options.worker.silence_limit);
  options.worker.start_backoff = given.value("start_backoff", options.worker.start_backoff);
  options.worker.lease = given.value("worker_lease", options.worker.lease);
  options.warn = [](const std::string& text) { std::fprintf(stderr, "warning: %s\n", text.c_str()); };
  return options;
}

/// What a folder lacks of a made-up sweep, in units of `images` images.
class MissingUnits : public UnitSource {
 public:
  MissingUnits(const OutputFolder& folder, const OutputRequest& request, std::uint32_t images) {
    for (std::uint64_t index = 0; index < request.points.size; ++index) {
      const PointTable::Row row = request.points.row(index);
      for (std::uint32_t trial = 0; trial < row.trials; ++trial) {
        for (const ImageSpan& gap :
             folder.work().missing(row.id, trial, request.database.images, request.database.metrics)) {
          for (std::uint64_t first = gap.first; first < gap.end(); first += images) {
            const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(images, gap.end() - first));
            units_.push_back({index, trial, first, count});
          }
        }
      }
    }
  }
  std::optional<PlannedUnit> next() override {
    if (next_ == units_.size()) return std::nullopt;
    return PlannedUnit{units_[next_++], 1};
  }
  std::uint64_t total() const override { return units_.size(); }

 private:
  std::vector<Unit> units_;
  std::size_t next_ = 0;
};

/// Descriptors of this process that are open; what a test compares before and after.
std::size_t open_descriptors() {
  std::size_t count = 0;
  for (int descriptor = 0; descriptor < 1024; ++descriptor) count += ::fcntl(descriptor, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The job's {"sweep": {"points": n, "trials": n, "images": per unit, "disk_wait": seconds}} into a folder.
EngineOutcome run_sweep(Transport* transport, const std::string& job_text, const std::string& output) {
  const json job = json::parse(job_text);
  const json sweep = job["sweep"];
  const EngineOptions options = read_options(job);
  OutputRequest request = sample_output();
  request.path = output;
  request.points = sample_points(sweep["points"], sweep["trials"]);
  OutputFolder folder(posix_files(), system_time(), this_process(), request);
  MissingUnits units(folder, request, sweep["images"]);
  JournalSink sink(folder, system_time(), this_process().host, options.warn, sweep.value("disk_wait", 60.0));
  const EngineOutcome outcome = run_engine(transport, options, units, sink, job_text, {});
  folder.write_database();
  folder.close();
  return outcome;
}

int sweep(const std::string& job_path, const std::string& output) {
  const std::string job_text = read_text(job_path);
  std::unique_ptr<MpiTransport> transport;
  if (launched_by_mpi()) transport = std::make_unique<MpiTransport>();
  if (transport && transport->rank() > 0) {
    const int code = run_worker(*transport, read_options(json::parse(job_text)));
    transport->finish(code != 0);
    return code;
  }
  try {
    const EngineOutcome outcome = run_sweep(transport.get(), job_text, output);
    if (transport) transport->finish(outcome.lost_ranks);
    return static_cast<int>(outcome.code);
  } catch (const Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    for (int rank = 1; transport && rank < transport->size(); ++rank) {
      transport->send(rank, encode_message(StopMessage{}));
    }
    if (transport) transport->finish(false);
    return static_cast<int>(error.code());
  }
}

int run(const std::string& job_path, std::uint64_t units, const std::string& output) {
  const std::string job_text = read_text(job_path);
  const json job = json::parse(job_text);
  const EngineOptions options = read_options(job);
  std::unique_ptr<MpiTransport> transport;
  if (launched_by_mpi()) transport = std::make_unique<MpiTransport>();
  if (transport && transport->rank() > 0) {
    if (job.contains("ranks")) append_line(job["ranks"], std::to_string(::getpid()));
    const int code = run_worker(*transport, options);
    transport->finish(code != 0);
    return code;
  }
  if (transport && job.contains("load")) {
    std::optional<SignsOfLife> signs;
    if (!job.contains("mute")) signs.emplace(*transport, 0.2);
    std::this_thread::sleep_for(std::chrono::duration<double>(job["load"].get<double>()));
  }
  const std::size_t descriptors = open_descriptors();
  EngineOutcome outcome;
  {
    CountedUnits source(units);
    LineSink sink(output);
    outcome = run_engine(transport.get(), options, source, sink, job_text, {});
  }
  const EngineProgress& progress = outcome.progress;
  std::cout << json{{"end", static_cast<int>(outcome.end)},
                    {"done", progress.done},
                    {"failed", progress.failed},
                    {"retried", progress.retried},
                    {"duplicates", progress.duplicates},
                    {"lost", outcome.lost_ranks},
                    {"message", outcome.message},
                    {"signal", outcome.signal},
                    {"leaked_descriptors", static_cast<int>(open_descriptors()) - static_cast<int>(descriptors)}}
                   .dump()
            << std::endl;
  if (transport) transport->finish(outcome.lost_ranks);
  return static_cast<int>(outcome.code);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    arm_failpoints_from_environment();
    if (!arguments.empty() && arguments[0] == "executor") {
      return run_executor_process({arguments.begin() + 1, arguments.end()}, [](const std::string& text) {
        return std::make_unique<TestRunner>(json::parse(text));
      });
    }
    if (arguments.size() == 1 && arguments[0] == "failpoints") {
      for (const FailpointName& point : failpoint_names()) std::puts(point.name);
      return 0;
    }
    if (arguments.size() == 3 && arguments[0] == "sweep") return sweep(arguments[1], arguments[2]);
    if (arguments.size() == 4 && arguments[0] == "run")
      return run(arguments[1], std::stoull(arguments[2]), arguments[3]);
    std::fprintf(stderr, "usage: engine_test_program run JOB_FILE UNITS OUTPUT_FILE | sweep JOB_FILE FOLDER\n");
    return 2;
  } catch (const Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
