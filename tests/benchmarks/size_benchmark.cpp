// What the program itself costs on a large sweep: planning its points, starting again on its records, asking its
// database, status. Makes a grid of POINTS points (a multiple of 10,000) and a journal with a record for each of them
// but the last few.
//   size_benchmark CROSSGRID [POINTS] [REPEATS]     prints a table: median time, peak memory, and the limits for 10^6
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "crossgrid/app/output_request.hpp"
#include "crossgrid/app/status_file.hpp"
#include "crossgrid/app/sweep_context.hpp"
#include "crossgrid/backend/numeric_class.hpp"
#include "crossgrid/base/error.hpp"

namespace {

using namespace crossgrid;

constexpr std::uint64_t open_points = 100;  // without a record: what a run that starts again has to do
constexpr double no_limit = 0;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Json sweep_document(std::uint64_t points) {
  const std::string data = std::string(CROSSGRID_BENCHMARK_SOURCE_DIR) + "/data";
  const Json bits{3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  return Json{{"name", "size"},
              {"network", data + "/digits-cnn.json"},
              {"dataset", {{"path", data + "/digits"}, {"images", {{"first", 0}, {"count", 1}}}}},
              {"calibration", {{"images", {{"first", 0}, {"count", 16}}}}},
              {"hardware",
               {{"core", {{"style", "balanced"}, {"weight_bits", 8}}},
                {"device",
                 {{"on_off_ratio", 100},
                  {"programming_error", {{"model", "normal_proportional"}}},
                  {"read_noise", {{"model", "normal_independent"}, {"sampling", "lumped"}}}}},
                {"dac", {{"model", "quantizer"}}},
                {"adc", {{"model", "quantizer"}}}}},
              {"grid",
               {{"dac.bits", bits},
                {"adc.bits", bits},
                {"device.programming_error.magnitude", {{"from", 0.001}, {"to", 0.1}, {"count", 100}}},
                {"device.read_noise.magnitude", {{"from", 0.001}, {"to", 0.02}, {"count", points / 10'000}}}}},
              {"trials", 1},
              {"seed", 1},
              {"metrics", {"top1", "loss"}}};
}

/// An output folder as a run leaves it that is stopped `open_points` units before its end. The seconds that counting
/// its state took, which a run does now and then.
double make_records(const SweepContext& context, const std::string& folder) {
  OutputFolder out(posix_files(), system_time(), this_process(),
                   output_request(context, folder, host_numeric_class().text(), "", false));
  constexpr std::uint64_t batch = 64;
  const std::uint64_t end = context.grid.size() - open_points;
  std::vector<UnitResult> results;
  for (std::uint64_t point = 0; point < end; ++point) {
    UnitResult result;
    result.unit = {point, 0, 0, 1};
    result.metrics["top1"].count = result.metrics["loss"].count = 1;
    result.metrics["top1"].sum = static_cast<Int128>(point % 2) << 32;
    result.metrics["loss"].sum = static_cast<Int128>(point * 40503 % 65536) << 18;
    result.seconds = 0.0015;
    results.push_back(std::move(result));
    if (results.size() < batch && point + 1 < end) continue;
    if (out.append(results, this_process().host) != AppendOutcome::written) {
      throw Error(ExitCode::storage, folder + ": the disk is full");
    }
    results.clear();
  }
  out.write_database();
  const double begin = seconds_now();
  SweepState state = sweep_state(context, out.content());
  const double counted = seconds_now() - begin;
  out.close();
  state.owners = out.content().owners;
  StatusFile(posix_files(), system_time(), folder, sweep_copy_id(context.sweep.resolved), "")
      .write(state, out.content());
  return counted;
}

/// In a process of its own: the peak memory of programs that are started counts that of who starts them.
void make_in_child(const std::string& sweep, const std::string& out, std::uint64_t points) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      const double begin = seconds_now();
      const SweepContext context = load_sweep_context(parse_sweep(read_json_file(sweep), sweep));
      const double counting = make_records(context, out);
      fmt::print("{} points, {} records and their database made in {:.1f} s, {:.2f} s of it to count them\n", points,
                 points - open_points, seconds_now() - begin, counting);
      std::fflush(stdout);
      ::_exit(0);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "error: %s\n", error.what());
      ::_exit(1);
    }
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0) {
    throw Error(ExitCode::internal, "no records were made");
  }
}

struct Cost {
  double seconds = 0;
  double megabytes = 0;
};

/// Time and peak memory of a command; with `until`, up to the first line that begins so, when it is killed.
Cost run(const std::vector<std::string>& words, const std::string& until = "") {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw Error(ExitCode::internal, "no pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int output : {STDOUT_FILENO, STDERR_FILENO}) posix_spawn_file_actions_adddup2(&actions, ends[1], output);
  const double begin = seconds_now();
  pid_t child = 0;
  const int error = ::posix_spawn(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (error != 0) throw Error(ExitCode::usage, words[0] + ": can't be started");
  Cost cost;
  std::FILE* output = ::fdopen(ends[0], "r");
  char line[4096];
  while (std::fgets(line, sizeof line, output) != nullptr) {
    if (until.empty() || !std::string_view(line).starts_with(until)) continue;
    cost.seconds = seconds_now() - begin;
    ::kill(child, SIGKILL);
    break;
  }
  rusage usage{};
  int status = 0;
  ::wait4(child, &status, 0, &usage);
  std::fclose(output);
  if (until.empty()) cost.seconds = seconds_now() - begin;
  const bool as_expected = until.empty() ? WIFEXITED(status) && WEXITSTATUS(status) == 0 : cost.seconds > 0;
  if (!as_expected) throw Error(ExitCode::internal, fmt::format("failed: {}", fmt::join(words, " ")));
  cost.megabytes = static_cast<double>(usage.ru_maxrss) / 1024;
  return cost;
}

struct Row {
  const char* name;
  double most_seconds;
  double most_megabytes;
  std::vector<std::string> words;
  const char* until = "";
};

void print_row(const Row& row, int repeats) {
  std::vector<double> seconds;
  double megabytes = 0;
  for (int i = 0; i < repeats; ++i) {
    const Cost cost = run(row.words, row.until);
    seconds.push_back(cost.seconds);
    megabytes = std::max(megabytes, cost.megabytes);
  }
  std::sort(seconds.begin(), seconds.end());
  const auto limit = [](double value, const char* unit) {
    return value == no_limit ? std::string("-") : fmt::format("{:g} {}", value, unit);
  };
  fmt::print("{:<50} {:>8.2f} s {:>8} {:>8.0f} MB {:>8}\n", row.name, seconds[seconds.size() / 2],
             limit(row.most_seconds, "s"), megabytes, limit(row.most_megabytes, "MB"));
  std::fflush(stdout);
}

void measure(const std::string& program, std::uint64_t points, int repeats, const std::string& folder) {
  const std::string sweep = folder + "/size.json", out = folder + "/out";
  std::ofstream(sweep) << sweep_document(points).dump(2);
  make_in_child(sweep, out, points);
  fmt::print("medians of {} runs, files in memory\n", repeats);
  fmt::print("{:<50} {:>10} {:>8} {:>11} {:>8}\n", "", "time", "limit", "memory", "limit");
  const std::vector<Row> rows{
      {"plan", 2, 200, {program, "plan", sweep}},
      {"status", 0.2, no_limit, {program, "status", out}},
      {"run again, until its first unit has ended", 1.5, no_limit, {program, "run", sweep, "-o", out, "-v"}, "point "},
      {"status of a run that was killed", 0.2, no_limit, {program, "status", out}},
      {"query: best 10 of those with a condition",
       1,
       no_limit,
       {program, "query", out, "--where", "adc.bits>=6", "--sort", "-top1.mean", "--limit", "10"}},
      {"query: group by 2 columns",
       1,
       no_limit,
       {program, "query", out, "--group-by", "adc.bits,dac.bits", "--select", "adc.bits,dac.bits,mean(top1.mean)"}},
      {"query: Pareto front", 1, no_limit, {program, "query", out, "--pareto", "max:top1.mean,min:loss.mean"}},
  };
  for (const Row& row : rows) print_row(row, repeats);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  char folder[] = "/tmp/crossgrid-size-XXXXXX";
  try {
    if (words.empty()) throw Error(ExitCode::usage, "expected: size_benchmark CROSSGRID [POINTS] [REPEATS]");
    if (::mkdtemp(folder) == nullptr) throw Error(ExitCode::storage, "no temporary folder");
    measure(words[0], words.size() < 2 ? 1'000'000 : std::stoull(words[1]), words.size() < 3 ? 3 : std::stoi(words[2]),
            folder);
    std::filesystem::remove_all(folder);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    std::filesystem::remove_all(folder);
    return 1;
  }
}
