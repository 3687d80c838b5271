// What the engine costs: units that do nothing go from rank 0 over worker ranks to executor processes, and their
// results back and into a file, one line each with group commit, as into the journal.
//   dispatch_benchmark [UNITS] [REPEATS]     starts mpirun -np 3 (two workers) itself; prints a table of units/s
// The last row is the same in one process without mpirun, with one executor.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crossgrid/base/metric_sum.hpp"
#include "crossgrid/engine/executor_process.hpp"
#include "crossgrid/engine/mpi_transport.hpp"
#include "crossgrid/engine/run_engine.hpp"

namespace {

using namespace crossgrid;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

class NothingRunner : public UnitRunner {
 public:
  UnitResult run(const Unit& unit, const std::function<void()>&) override {
    UnitResult result;
    result.metrics["top1"].count = unit.count;
    return result;
  }
};

class EmptyUnits : public UnitSource {
 public:
  explicit EmptyUnits(std::uint64_t total) : total_(total) {}
  std::optional<PlannedUnit> next() override {
    if (next_ == total_) return std::nullopt;
    return PlannedUnit{Unit{next_++, 0, 0, 500}, 1};
  }
  std::uint64_t total() const override { return total_; }

 private:
  std::uint64_t next_ = 0;
  std::uint64_t total_;
};

/// One line per result, one write(2) per batch, fdatasync at most every 50 ms.
class LineSink : public ResultSink {
 public:
  explicit LineSink(const std::string& path)
      : file_(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_TRUNC, 0644)) {
    if (file_ < 0) throw Error(ExitCode::storage, path + ": can't be opened");
  }
  ~LineSink() override { ::close(file_); }
  void append(std::vector<UnitResult> results, std::function<void()> durable) override {
    std::string lines;
    char line[256];
    for (const UnitResult& result : results) {
      const int size =
          std::snprintf(line, sizeof line,
                        "{\"crc\":\"00000000\",\"point\":%llu,\"trial\":%u,\"top1\":[%lld,%llu],\"seconds\":%.9g}\n",
                        static_cast<unsigned long long>(result.unit.point), result.unit.trial,
                        static_cast<long long>(result.metrics.at("top1").sum),
                        static_cast<unsigned long long>(result.metrics.at("top1").count), result.seconds);
      lines.append(line, static_cast<std::size_t>(size));
    }
    if (::write(file_, lines.data(), lines.size()) != static_cast<ssize_t>(lines.size())) {
      throw Error(ExitCode::storage, "the benchmark can't write its results");
    }
    waiting_.push_back(std::move(durable));
  }
  void poll() override {
    if (seconds_now() - synced_ > 0.05) flush();
  }
  void flush() override {
    if (waiting_.empty()) return;
    ::fdatasync(file_);
    synced_ = seconds_now();
    for (const auto& durable : std::exchange(waiting_, {})) durable();
  }

 private:
  int file_;
  double synced_ = 0;
  std::vector<std::function<void()>> waiting_;
};

/// One measured run, as rank 0 or as a worker; rank 0 writes units/s into the file `answer`.
int measure(std::uint64_t units, int batch, const std::string& folder) {
  std::unique_ptr<MpiTransport> transport;
  if (launched_by_mpi()) transport = std::make_unique<MpiTransport>();
  EngineOptions options;
  options.scheduler.batch_units = batch;
  if (transport && transport->rank() > 0) {
    const int code = run_worker(*transport, options);
    transport->finish(code != 0);
    return code;
  }
  EmptyUnits source(units);
  LineSink sink(folder + "/lines");
  const double begin = seconds_now();
  const EngineOutcome outcome = run_engine(transport.get(), options, source, sink, "", {});
  const double rate = static_cast<double>(units) / (seconds_now() - begin);
  std::ofstream(folder + "/answer") << (outcome.end == EngineEnd::complete ? rate : 0);
  if (transport) transport->finish(outcome.lost_ranks);
  return 0;
}

double run_case(const std::string& program, const std::string& launcher, std::uint64_t units, int batch,
                const std::string& folder) {
  const std::string command =
      launcher + program + " measure " + std::to_string(units) + " " + std::to_string(batch) + " " + folder;
  if (std::system(command.c_str()) != 0) throw Error(ExitCode::internal, "failed: " + command);
  double rate = 0;
  std::ifstream(folder + "/answer") >> rate;
  return rate;
}

int print_table(const std::string& program, std::uint64_t units, int repeats) {
  ::setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
  ::setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
  char folder[] = "/tmp/crossgrid-dispatch-XXXXXX";
  if (::mkdtemp(folder) == nullptr) throw Error(ExitCode::storage, "no temporary folder");
  struct Case {
    const char* name;
    const char* launcher;
    int batch;
  };
  const std::string mpirun = std::string(CROSSGRID_MPIEXEC) + " --oversubscribe --bind-to none -np 3 ";
  std::printf("%llu units that do nothing, best and worst of %d runs\n", static_cast<unsigned long long>(units),
              repeats);
  std::printf("%-44s %14s %14s\n", "", "units/s, best", "worst");
  for (const Case& row :
       {Case{"2 workers, batches of up to 64", mpirun.c_str(), 64},
        Case{"2 workers, batches of up to 8", mpirun.c_str(), 8}, Case{"2 workers, one by one", mpirun.c_str(), 1},
        Case{"without mpirun, 1 worker, batches of up to 64", "", 64}}) {
    std::vector<double> rates;
    for (int i = 0; i < repeats; ++i) rates.push_back(run_case(program, row.launcher, units, row.batch, folder));
    const auto [worst, best] = std::minmax_element(rates.begin(), rates.end());
    std::printf("%-44s %14.0f %14.0f\n", row.name, *best, *worst);
  }
  for (const char* name : {"/lines", "/answer"}) ::unlink((std::string(folder) + name).c_str());
  ::rmdir(folder);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    if (!words.empty() && words[0] == "executor") {
      return run_executor_process({words.begin() + 1, words.end()},
                                  [](const std::string&) { return std::make_unique<NothingRunner>(); });
    }
    if (words.size() == 4 && words[0] == "measure")
      return measure(std::stoull(words[1]), std::stoi(words[2]), words[3]);
    return print_table(argv[0], words.empty() ? 100'000 : std::stoull(words[0]),
                       words.size() < 2 ? 3 : std::stoi(words[1]));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
