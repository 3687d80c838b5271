#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <future>
#include <optional>
#include <utility>

#include "crossgrid/app/command_line.hpp"
#include "crossgrid/app/commands.hpp"
#include "crossgrid/app/inference_runner.hpp"
#include "crossgrid/app/output_request.hpp"
#include "crossgrid/app/progress_line.hpp"
#include "crossgrid/app/run_account.hpp"
#include "crossgrid/app/run_words.hpp"
#include "crossgrid/app/status_keeper.hpp"
#include "crossgrid/app/sweep_units.hpp"
#include "crossgrid/app/unit_lines.hpp"
#include "crossgrid/app/work_estimate.hpp"
#include "crossgrid/backend/numeric_class.hpp"
#include "crossgrid/base/error.hpp"
#include "crossgrid/engine/journal_sink.hpp"
#include "crossgrid/engine/mpi_transport.hpp"
#include "crossgrid/engine/signs_of_life.hpp"
#include "crossgrid/engine/start_lock.hpp"

namespace crossgrid {

namespace {

namespace po = boost::program_options;

constexpr CommandHelp help{
    "run", "SWEEP [-o DIR] [options]",
    "Runs a sweep, or continues one that was stopped: what is in the output folder's journal is not run again.\n"
    "Under mpirun rank 0 schedules and every other rank is a worker; without mpirun one process does all.\n"
    "Ctrl-C once: units in flight end and are kept. Twice: stop at once. The same command continues either way.\n"
    "With --shard several jobs share a sweep and its folder; 'crossgrid gather' makes the database of them.",
    "  crossgrid run sweeps/quickstart.json\n"
    "  crossgrid run sweeps/quickstart.json -o results/more --set trials=10 --grid adc.bits=4,6,8\n"
    "  mpirun -np 9 --bind-to none --enable-recovery crossgrid run sweeps/quickstart.json\n"
    "  crossgrid run sweeps/quickstart.json --shard 2/4    (of jobs 1/4 to 4/4; then: crossgrid gather "
    "results/quickstart)"};

constexpr std::uint32_t most_retries = 1'000'000;
constexpr double shortest_lease = 0.5;  ///< [s]: a busy machine must not look like a dead one

struct RunOptions {
  std::string folder;
  int threads = 0;
  std::uint32_t unit_images = 0;
  std::string isa;
  Shard shard;
  bool extend = false;
  bool retry_failed = false;
  int retries = 2;
  double lease = 20, time_limit = 60, disk_wait = 600;  ///< [s]
  bool quiet = false, verbose = false;
};

po::options_description run_options() {
  po::options_description options("options");
  add_sweep_options(options);
  options.add_options()("output,o", po::value<std::string>(), "output folder (default: results/NAME)")(
      "threads,t", po::value<int>()->default_value(0), "threads per worker (0: the cores it may use)")(
      "unit-images", po::value<std::uint32_t>()->default_value(0),
      "images per unit (0: chosen); results do not depend on it")(
      "isa", po::value<std::string>()->default_value(""),
      "instruction set to pin the sweep to: avx2, avx512, avx512_vnni")(
      "shard", po::value<std::string>(), "I/N: run only part I of N, beside the jobs of the other parts")(
      "extend", "go on in a folder whose results have another seed, data set or network, or share no point")(
      "retry-failed", "run failed units again")("retries", po::value<std::uint32_t>()->default_value(2),
                                                "further attempts at a unit that fails")(
      "time-limit", po::value<double>()->default_value(60),
      "seconds without a sign of life, and least run time of a unit, after which it is given up (a unit may take 10 "
      "times its predicted time)")("exit-code", po::value<std::string>(),
                                   "file to write the exit code to: mpirun --enable-recovery hides it")(
      "lease", po::value<double>()->default_value(20),
      "seconds of silence after which a worker's units go to others; a worker waits half as much longer for rank 0")(
      "disk-wait", po::value<double>()->default_value(600), "seconds to wait for room when the disk is full")(
      "quiet,q", "print errors only")("verbose,v", "print a line for every unit that ends");
  return options;
}

double seconds_option(const po::variables_map& values, const char* name, double least) {
  const double seconds = values[name].as<double>();
  if (seconds >= least && std::isfinite(seconds)) return seconds;
  throw Error(ExitCode::usage, fmt::format("--{} {}: expected {}", name, seconds,
                                           least > 0 ? fmt::format("at least {} s", least) : "0 or more"));
}

RunOptions read_options(const po::variables_map& values) {
  RunOptions options;
  if (values.count("output")) options.folder = values["output"].as<std::string>();
  if (values.count("output") && options.folder.empty())
    throw Error(ExitCode::usage, "--output '': expected the name of a folder");
  options.threads = values["threads"].as<int>();
  if (options.threads < 0)
    throw Error(ExitCode::usage, fmt::format("--threads {}: expected 0 or more", options.threads));
  options.unit_images = values["unit-images"].as<std::uint32_t>();
  options.isa = values["isa"].as<std::string>();
  const auto& known = instruction_sets();
  if (!options.isa.empty() && std::find(known.begin(), known.end(), options.isa) == known.end())
    throw Error(ExitCode::usage, fmt::format("--isa {}: expected one of {}", options.isa, fmt::join(known, ", ")));
  if (values.count("shard")) options.shard = shard_from_text(values["shard"].as<std::string>());
  options.extend = values.count("extend") > 0;
  options.retry_failed = values.count("retry-failed") > 0;
  options.retries = static_cast<int>(std::min(values["retries"].as<std::uint32_t>(), most_retries));
  options.lease = seconds_option(values, "lease", shortest_lease);
  options.time_limit = seconds_option(values, "time-limit", 0);
  options.disk_wait = seconds_option(values, "disk-wait", 0);
  options.quiet = values.count("quiet") > 0, options.verbose = values.count("verbose") > 0;
  if (options.quiet && options.verbose) throw Error(ExitCode::usage, "--quiet and --verbose exclude each other");
  return options;
}

/// What the user reads before the run starts.
void announce(const SweepContext& context, const RunOptions& options, const OutputFindings& findings,
              const WorkEstimate& work, const RunAccount::Predicted& predicted, std::uint64_t units) {
  const bool in_rounds = context.sweep.in_rounds();
  fmt::print("{}: {}{} ({} equal to another), {}{}, {}\n", context.sweep.name, in_rounds ? "at most " : "",
             counted(work.points, "point"), grouped(work.duplicates), counted(units, "unit"),
             in_rounds ? " in this round" : "", counted(context.image_count, "test image"));
  fmt::print("{}, network '{}'\n", context.test->description(), context.network.name);
  if (findings.existed) {
    fmt::print("{}: {} done, {} begun, {} new, {} in the journal but not in this grid (kept, not in the database)\n",
               options.folder, counted(findings.points_done, "point"), grouped(findings.points_begun),
               grouped(findings.points_new), grouped(findings.points_elsewhere));
  }
  for (const std::string& note : findings.notes) fmt::print("{}\n", note);
  fmt::print(
      "{} x {}, predicted time {}, output in {}\n", counted(static_cast<std::uint64_t>(predicted.workers), "worker"),
      counted(static_cast<std::uint64_t>(predicted.threads), "thread"), about_text(predicted.seconds), options.folder);
  std::fflush(stdout);
}

/// What the user reads at the end of a shard.
void conclude_shard(const RunOptions& options, const std::string& again, const EngineOutcome& outcome,
                    const ChipCounts& chips) {
  fmt::print("shard {}: {} of {} done, {} failed, {} left; {} in {}\n", options.shard.text(), grouped(chips.done),
             counted(chips.chips, "chip"), grouped(chips.failed), grouped(chips.left()),
             counted(outcome.progress.durable, "unit"), duration_text(outcome.progress.seconds));
  if (!outcome.message.empty()) fmt::print("{}\n", outcome.message);
  if (chips.left() > 0) {
    fmt::print("to continue: {}\n", again);
  } else {
    fmt::print("when all shards have ended: crossgrid gather {}\n", shell_word(options.folder));
  }
}

/// What the user reads at the end.
void conclude(const RunOptions& options, const std::string& again, const EngineOutcome& outcome,
              const DatabaseCounts& counts) {
  const EngineProgress& progress = outcome.progress;
  fmt::print("{} done, {} failed, {} left; {} in {}", counted(counts.done, "point"), grouped(counts.failed),
             grouped(counts.points - counts.done - counts.failed), counted(progress.durable, "unit"),
             duration_text(progress.seconds));
  if (progress.retried) fmt::print(", {} repeated", counted(progress.retried, "attempt"));
  if (progress.duplicates) fmt::print(", {} that came twice, dropped", counted(progress.duplicates, "result"));
  if (counts.not_finite)
    fmt::print(", {} with metrics that are not finite (see not_finite columns)", counted(counts.not_finite, "point"));
  if (counts.expected.total()) fmt::print("\nexpected values: {}", counts.expected.text());
  fmt::print("\nwrote {0}/points.jsonl, points.meta.json, summary.json\n", options.folder);
  if (!outcome.message.empty()) fmt::print("{}\n", outcome.message);
  if (!counts.complete()) {
    fmt::print("to continue: {}\n", again);
  } else if (counts.failed) {
    fmt::print("why they failed: crossgrid status {}\nto try them again: {} --retry-failed\n",
               shell_word(options.folder), again);
  } else {
    fmt::print("next: crossgrid query {} --limit 10\n", shell_word(options.folder));
  }
}

ExitCode exit_code(const EngineOutcome& outcome, const ChipCounts& chips) {
  if (outcome.end == EngineEnd::refused || outcome.end == EngineEnd::workers_lost) return outcome.code;
  return chips.exit_code();
}

std::string same_command(const Arguments& arguments) {
  std::string text = "crossgrid run";
  for (const std::string& word : arguments) {
    if (word != "--retry-failed") text += " " + shell_word(word);
  }
  return text;
}

/// Fixes the sweep's numeric class and pins this process to it: the class that the folder's first run had, or to --isa,
/// or to the host's best.
NumericClass choose_numeric_class(const RunOptions& options, const std::optional<std::string>& recorded) {
  if (!recorded) {
    pin_instruction_set(options.isa);
    return host_numeric_class();
  }
  NumericClass wanted = NumericClass::from_text(*recorded);
  if (!options.isa.empty() && options.isa != wanted.isa) {
    throw Error(ExitCode::conflict,
                fmt::format("--isa {}: the results in {} were computed with {}; choose another folder", options.isa,
                            options.folder, *recorded));
  }
  try {
    pin_numeric_class(wanted);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}; continue on a host like the first, or choose another folder",
                                          options.folder, error.what()));
  }
  return wanted;
}

EngineOptions engine_options(const RunOptions& options) {
  EngineOptions engine;
  engine.executor_threads = options.threads;
  engine.scheduler.retries = options.retries;
  engine.scheduler.time_limit = engine.worker.silence_limit = options.time_limit;
  set_lease(engine, options.lease);
  return engine;
}

/// Of a worker's rank. Rank 0 has the same words, and says what is wrong with them.
EngineOptions worker_options(const po::variables_map& values) {
  try {
    return engine_options(read_options(values));
  } catch (const Error&) {
    return {};
  }
}

/// Rank 0: plans, schedules, journals, writes the database. Sets `lost_ranks` for the farewell.
ExitCode lead(const po::variables_map& values, const Arguments& arguments, MpiTransport* transport, bool& lost_ranks) {
  std::optional<SignsOfLife> signs;
  if (transport) signs.emplace(*transport);
  const SweepContext context = load_sweep_context(sweep_argument(help, values));
  RunOptions options = read_options(values);
  if (!options.shard.whole()) refuse_shards_in_rounds(context.sweep);
  if (options.folder.empty()) options.folder = "results/" + context.sweep.name;
  FileSystem& files = posix_files();
  std::optional<StartLock> start(std::in_place, files, options.folder);
  const NumericClass numeric_class = choose_numeric_class(options, recorded_numeric_class(files, options.folder));
  const std::string again = same_command(arguments);
  OutputRequest request = output_request(context, options.folder, numeric_class.text(), again, options.extend);
  request.journal.shard = options.shard.name();
  // While the journal is read: all that is run asks for it.
  auto repeats = std::async(std::launch::async, [&] { return context.grid.size() > 0 && context.grid.repeats(0); });
  OutputFolder folder(files, system_time(), this_process(), std::move(request));
  repeats.get();
  start.reset();

  const int workers = transport && transport->size() > 1 ? transport->size() - 1 : 1;
  const int sharing = transport ? transport->node_share().workers_sharing_cores : 1;
  const int threads = options.threads ? options.threads : default_executor_threads(cores_in_mask(), sharing);
  const WorkEstimate work = estimate_work(context, folder.work(), options.shard);
  const std::uint64_t chips = work.chips / options.shard.count;
  const std::uint32_t unit_images =
      options.unit_images ? options.unit_images : default_unit_images(context.image_count, chips, workers);
  SweepUnits units(context, folder.work(), unit_images, options.retry_failed, options.shard);
  const std::uint64_t cuts = units_of_chip(context, unit_images);
  const std::uint64_t run_units = context.sweep.in_rounds() ? chips * cuts : units.total();
  const RunAccount::Predicted predicted = predict_run(work, run_units, work.chips * cuts, workers, threads);
  folder.expect(predicted);
  ProgressLine progress(options.quiet);
  if (!options.quiet) announce(context, options, folder.findings(), work, predicted, units.total());

  const auto warn = [&progress](const std::string& line) { progress.note("warning: " + line); };
  JournalSink sink(folder, system_time(), this_process().host, warn, options.disk_wait);
  UnitLines lines(sink, [&progress](const std::string& line) { progress.note(line); });
  StatusFile status(files, system_time(), options.folder, sweep_copy_id(context.sweep.resolved), options.shard.name());
  StatusKeeper results(options.verbose ? static_cast<ResultSink&>(lines) : sink, folder, context, files, system_time(),
                       status, options.folder);
  const InferenceJob job{context.sweep.resolved, context.sweep.path, numeric_class, options.folder + "/ranges"};
  EngineOptions engine = engine_options(options);
  engine.warn = warn;
  EngineOutcome outcome;
  signs.reset();
  try {
    outcome = run_engine(transport, engine, units, results, job.to_text(),
                         [&](const EngineProgress& state) { progress.update(state); });
  } catch (...) {
    lost_ranks = true;
    throw;
  }
  lost_ranks = outcome.lost_ranks;
  progress.finish();
  SweepState state = sweep_state(context, folder.content());
  std::optional<DatabaseCounts> counts;  // shards would write one database at the same time: gather does it
  if (options.shard.whole()) counts = folder.write_database();
  folder.close();
  state.owners = folder.content().owners;
  status.write(state, folder.content());
  const ChipCounts ended = *state.chips_of(options.shard);
  if (outcome.end == EngineEnd::refused) throw Error(outcome.code, outcome.message);
  if (!options.quiet && counts) conclude(options, again, outcome, *counts);
  if (!options.quiet && !counts) conclude_shard(options, again, outcome, ended);
  return exit_code(outcome, ended);
}

/// For those who can't see it. Where that fails there is no file, and nothing is known.
void leave_exit_code(const po::variables_map& values, ExitCode code) {
  if (!values.count("exit-code")) return;
  try {
    replace_file(posix_files(), values["exit-code"].as<std::string>(), fmt::format("{}\n", static_cast<int>(code)));
  } catch (const Error& error) {
    fmt::print(stderr, "warning: {}\n", error.what());
  }
}

/// Rank 0 could not start: the workers must not wait for it.
void dismiss_workers(Transport& transport) {
  for (int rank = 1; rank < transport.size(); ++rank) transport.send(rank, encode_message(StopMessage{}));
}

}  // namespace

void check_run_words(const Arguments& words) {
  const auto values = parse_arguments(help, run_options(), "sweep", words);
  if (!values) throw Error(ExitCode::usage, "--help after '--': expected options of 'crossgrid run'");
  for (const char* name : {"sweep", "output", "shard", "set", "grid", "exit-code"}) {
    if (!values->count(name)) continue;
    throw Error(ExitCode::usage, fmt::format("found '{}' after '--'; it belongs before it", name));
  }
  if (values->count("retry-failed")) {
    throw Error(ExitCode::usage,
                "found '--retry-failed' after '--': jobs that queue themselves again would try failed units for ever; "
                "use 'crossgrid run ... --retry-failed' when the jobs have ended");
  }
  read_options(*values);
}

int run_command(const Arguments& arguments) {
  const auto values = parse_arguments(help, run_options(), "sweep", arguments);
  if (!values) return 0;
  if (!launched_by_mpi()) {
    bool lost_ranks = false;
    try {
      const ExitCode code = lead(*values, arguments, nullptr, lost_ranks);
      leave_exit_code(*values, code);
      return static_cast<int>(code);
    } catch (const Error& error) {
      leave_exit_code(*values, error.code());
      throw;
    }
  }
  MpiTransport transport;
  if (transport.rank() > 0) {
    const int code = run_worker(transport, worker_options(*values));
    transport.finish(code != 0);  // a worker that gave up alone must not wait for the others
    return code;
  }
  bool lost_ranks = false;
  try {
    const ExitCode code = lead(*values, arguments, &transport, lost_ranks);
    leave_exit_code(*values, code);
    transport.finish(lost_ranks);
    return static_cast<int>(code);
  } catch (const Error& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    leave_exit_code(*values, error.code());
    if (!lost_ranks) dismiss_workers(transport);
    transport.finish(lost_ranks);
    return static_cast<int>(error.code());
  }
}

}  // namespace crossgrid
