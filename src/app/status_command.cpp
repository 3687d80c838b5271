#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "crossgrid/app/command_line.hpp"
#include "crossgrid/app/commands.hpp"
#include "crossgrid/app/recorded_sweep.hpp"
#include "crossgrid/app/run_account.hpp"
#include "crossgrid/app/slurm_queue.hpp"
#include "crossgrid/app/status_file.hpp"
#include "crossgrid/app/work_estimate.hpp"
#include "crossgrid/base/clock.hpp"
#include "crossgrid/base/error.hpp"
#include "crossgrid/base/terminal_text.hpp"
#include "crossgrid/engine/folder_lock.hpp"
#include "crossgrid/engine/unit_census.hpp"

namespace crossgrid {

namespace {

namespace po = boost::program_options;

constexpr CommandHelp help{
    "status", "DIR [--check] [--shard I/N]",
    "Says how far the run in an output folder is: points done, failed and left, rate and time left while it runs, and\n"
    "why units failed. Reads only, so it can be used while the run goes on.",
    "  crossgrid status results/quickstart\n"
    "  crossgrid status --check results/quickstart || echo 'exit code 3: failed points, 75: to be continued'\n"
    "  crossgrid status --check --shard 2/4 results/quickstart"};

/// Rate since the running job began up to `until`, and what that makes of the rest where its own prediction does not
/// say more.
void print_rate(const JournalOwner& owner, std::uint64_t images_left, std::int64_t until) {
  const std::int64_t now = system_time().utc();
  const double rate = static_cast<double>(owner.images) /
                      std::max(static_cast<double>(until - utc_from_text(owner.record.started)), 1.0);
  if (rate <= 0) return;
  std::optional<double> left;
  if (owner.account) {
    left = seconds_left(*owner.account, static_cast<double>(now - utc_from_text(owner.record.heartbeat)));
  }
  fmt::print("rate      {:.3g} images/s, {} left\n", rate,
             about_text(left.value_or(static_cast<double>(images_left) / rate)));
}

/// Of all files in the folder; some may go while they are looked at.
double megabytes_of(const std::string& folder) {
  double bytes = 0;
  std::error_code ignored;
  for (std::filesystem::recursive_directory_iterator file(folder, ignored), end; file != end; file.increment(ignored)) {
    if (!file->is_regular_file(ignored)) continue;
    const std::uintmax_t size = file->file_size(ignored);
    if (size != static_cast<std::uintmax_t>(-1)) bytes += static_cast<double>(size);
  }
  return bytes * 1e-6;
}

/// Whether a process of this host is gone; of others only their signs of life tell.
bool surely_gone(const OwnerRecord& owner) {
  const ProcessIdentity here = this_process();
  return owner.host == here.host && (owner.boot != here.boot || !here.alive(owner.pid));
}

/// "run" or "shard 1/4", and how it is; `until`: up to when its images are counted.
void print_owner(const std::string& label, const JournalOwner& last, std::uint64_t images_left, std::int64_t until) {
  const OwnerRecord& owner = last.record;
  const auto age = system_time().utc() - utc_from_text(owner.heartbeat);
  const bool running = static_cast<double>(age) <= owner_lease_seconds && !surely_gone(owner);
  fmt::print("{:<10}{} on {} (process {}) since {}, last sign {} ago\n", label,
             running ? "running" : "ended without a word:", without_control_characters(owner.host), owner.pid,
             without_control_characters(owner.started),
             duration_text(static_cast<double>(std::max<std::int64_t>(age, 0))));
  if (running && images_left > 0) print_rate(last, images_left, until);
}

void print_account(const JournalOwner& owner, const std::string& folder) {
  if (!owner.account || owner.account->predicted.units == 0) return;
  fmt::print("predicted {}\n", predicted_text(*owner.account));
  fmt::print("measured  {}\n", measured_text(*owner.account, megabytes_of(folder)));
}

/// Each run that has not ended in order, what the last of each journal took beside what was predicted, and how far each
/// shard is.
void print_runs(const std::string& folder, const SweepState& state, std::int64_t counted_at) {
  bool none = true;
  for (const auto& [name, owner] : state.owners) {
    const Shard shard = shard_from_name(name).value_or(Shard{});
    const ChipCounts chips = state.chips_of(shard).value_or(ChipCounts{});
    const std::string label = shard.whole() ? "run" : "shard " + shard.text();
    if (!shard.whole()) {
      fmt::print("{:<10}{} of {} done, {} failed\n", label, grouped(chips.done), counted(chips.chips, "chip"),
                 grouped(chips.failed));
    }
    if (!owner.record.released) {
      none = false;
      print_owner(label, owner, chips.left() * state.images, counted_at);
    }
    print_account(owner, folder);
  }
  if (none) fmt::print("run       not running\n");
}

void print_submitted(const std::string& folder) {
  const SubmittedJobs jobs = read_submitted_jobs(folder);
  if (jobs.sweep.empty()) return;
  const std::string ids = jobs.sweep + (jobs.gather.empty() ? "" : "," + jobs.gather);
  fmt::print("slurm     submitted as job {}: squeue --jobs {}; logs in {}/slurm\n", jobs.sweep, ids, folder);
}

void print_losses(const std::string& folder, const SweepState& state) {
  for (JournalLoss loss : state.losses) {
    loss.file = folder + "/" + loss.file;
    fmt::print("journal   {}\n", without_control_characters(loss.text()));
  }
  if (state.losses_found > state.losses.size()) {
    fmt::print("          and {} more damaged places\n", grouped(state.losses_found - state.losses.size()));
  }
}

/// Why a unit failed, the end of its executor's log indented, and how to see it again.
void print_failure(const std::string& folder, const SweepState::Failure& failure) {
  const Unit& unit = failure.unit;
  fmt::print("failed    point {} trial {} images {}..{} after {} attempts on {}: {}{}\n", unit.point, unit.trial,
             unit.first, unit.first + unit.count - 1, failure.attempts, without_control_characters(failure.host),
             without_control_characters(failure.reason),
             failure.signal ? fmt::format(" [signal {}]", failure.signal) : "");
  for (std::size_t at = 0; at < failure.log.size();) {
    const std::size_t end = std::min(failure.log.find('\n', at), failure.log.size());
    fmt::print("          | {}\n", without_control_characters(std::string_view(failure.log).substr(at, end - at)));
    at = end + 1;
  }
  fmt::print("          {}\n", command_to_replay(shell_word(folder), failure.point, unit));
}

void print_failures(const std::string& folder, const SweepState& state) {
  for (const SweepState::Failure& failure : state.failures) print_failure(folder, failure);
  if (state.failures_found > state.failures.size()) {
    fmt::print("          and {} more failed units\n", state.failures_found - state.failures.size());
  }
}

void print_counts(const SweepState& state) {
  const SweepState::Points& points = state.points;
  fmt::print("points    {} of {} done ({:.1f} %), {} failed, {} begun, {} pending\n", grouped(points.done),
             grouped(points.chosen),
             100.0 * static_cast<double>(points.done) / static_cast<double>(std::max<std::uint64_t>(points.chosen, 1)),
             grouped(points.failed), grouped(points.begun), grouped(points.pending()));
  fmt::print("chips     {} of {} done, {} failed\n", grouped(state.chips.done), grouped(state.chips.chips),
             grouped(state.chips.failed));
  if (state.round) {  // what is counted is what was decided so far
    fmt::print("round     {} of at most {}{}; at most {} in all\n", state.round->number, state.round->most,
               state.chips.left() == 0 ? ", the last" : "", counted(state.round->most_chips, "chip"));
  }
  if (state.expected.total()) fmt::print("expected  {}\n", state.expected.text());
}

/// Where the state is not that of this moment.
void print_age(const KnownState& known) {
  if (known.exact) return;
  const auto age = static_cast<double>(system_time().utc() - known.counted_at);
  fmt::print("counted   {} ago; {:.1f} MB of records since are not in it\n", duration_text(age),
             static_cast<double>(known.bytes_since) * 1e-6);
}

KnownState count_now(const std::string& folder) {
  const SweepContext context = recorded_sweep(folder);
  KnownState known;
  known.state = sweep_state(context, read_journal(posix_files(), folder));
  known.exact = true;
  return known;
}

/// From the status file where that is exact, or, unless `must_be_exact`, worth showing.
KnownState look_at(const std::string& folder, const Shard& shard, bool must_be_exact) {
  std::optional<KnownState> known = read_status_file(posix_files(), folder);
  const bool good =
      known && known->state.chips_of(shard) && (known->exact || (!must_be_exact && worth_showing(*known)));
  return good ? *std::move(known) : count_now(folder);
}

/// Unit records of a shard's journal, or of all journals.
std::uint64_t records(const std::string& folder, const Shard& shard) {
  std::uint64_t count = 0;
  for (const auto& [name, records] : count_units(posix_files(), folder).records) {
    if (shard.whole() || name == shard.name()) count += records;
  }
  return count;
}

}  // namespace

int status_command(const Arguments& arguments) {
  po::options_description options("options");
  options.add_options()("folder", po::value<std::string>(), "output folder of a run")(
      "check", "print nothing: exit with 0 (done), 3 (complete with failed points) or 75 (to be continued)")(
      "shard", po::value<std::string>(), "I/N: only this shard's part, with --check or --records")(
      "records", "print only how many units are recorded");
  const auto values = parse_arguments(help, options, "folder", arguments);
  if (!values) return 0;
  const std::string folder = required_argument(help, *values, "folder", "the output folder");
  const Shard shard = values->count("shard") ? shard_from_text((*values)["shard"].as<std::string>()) : Shard{};
  if (values->count("records")) {
    fmt::print("{}\n", records(folder, shard));
    return 0;
  }
  const bool check = values->count("check") > 0;
  if (!shard.whole() && !check) throw Error(ExitCode::usage, "--shard needs --check or --records");
  const KnownState known = look_at(folder, shard, check);
  if (check) return static_cast<int>(known.state.chips_of(shard).value_or(ChipCounts{}).exit_code());

  fmt::print("sweep     {} in {}\n", without_control_characters(known.state.name), folder);
  print_age(known);
  print_counts(known.state);
  print_runs(folder, known.state, known.exact ? system_time().utc() : known.counted_at);
  print_submitted(folder);
  print_losses(folder, known.state);
  print_failures(folder, known.state);
  return 0;
}

}  // namespace crossgrid
