// What the engine costs: units that do nothing go from rank 0 over worker ranks to executor processes, and their
// results back and into the journal of an output folder.
//   dispatch_benchmark [UNITS] [REPEATS]     starts mpirun -np 3 (two workers) itself; prints a table of units/s
// The last row is the same in one process without mpirun, with one executor.
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "../engine/storage_sample.hpp"
#include "crossgrid/base/metric_sum.hpp"
#include "crossgrid/engine/executor_process.hpp"
#include "crossgrid/engine/journal_sink.hpp"
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

/// Trials of each point that the journal is told of.
constexpr std::uint32_t trials = 1000;

class EmptyUnits : public UnitSource {
 public:
  explicit EmptyUnits(std::uint64_t total) : total_(total) {}
  std::optional<PlannedUnit> next() override {
    if (next_ == total_) return std::nullopt;
    const std::uint64_t unit = next_++;
    return PlannedUnit{Unit{unit / trials, static_cast<std::uint32_t>(unit % trials), 0, 500}, 1};
  }
  std::uint64_t total() const override { return total_; }

 private:
  std::uint64_t next_ = 0;
  std::uint64_t total_;
};

OutputRequest output(std::uint64_t units, const std::string& folder) {
  const std::uint64_t points = (units + trials - 1) / trials;
  OutputRequest request = sample_output(points);
  request.points = sample_points(points, trials);
  request.path = folder + "/out";
  request.parameters_of = [](std::uint64_t index) {
    return Json{{"adc.bits", 4 + index},
                {"device.programming_error.magnitude", 0.05},
                {"array.rows_max", 64},
                {"core.style", "balanced"}};
  };
  return request;
}

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
  std::filesystem::remove_all(folder + "/out");
  OutputFolder out(posix_files(), system_time(), this_process(), output(units, folder));
  JournalSink sink(out, system_time(), this_process().host, {}, 60);
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
  std::filesystem::remove_all(folder);
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
