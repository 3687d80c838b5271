#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <vector>

#include "crossgrid/app/chip_counts.hpp"
#include "crossgrid/app/command_line.hpp"
#include "crossgrid/app/commands.hpp"
#include "crossgrid/app/output_request.hpp"
#include "crossgrid/app/recorded_sweep.hpp"
#include "crossgrid/app/run_account.hpp"
#include "crossgrid/app/slurm_queue.hpp"
#include "crossgrid/app/work_estimate.hpp"
#include "crossgrid/base/clock.hpp"
#include "crossgrid/base/error.hpp"
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

constexpr std::size_t failures_shown = 10;

/// Rate since the running job began, and what that makes of the rest where its own prediction does not say more.
void print_rate(const JournalOwner& owner, std::uint64_t images_left) {
  const std::int64_t now = system_time().utc();
  const double rate =
      static_cast<double>(owner.images) / std::max(static_cast<double>(now - utc_from_text(owner.record.started)), 1.0);
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

/// "run" or "shard 1/4", and how it is.
void print_owner(const std::string& label, const JournalOwner& last, std::uint64_t images_left) {
  const OwnerRecord& owner = last.record;
  const auto age = system_time().utc() - utc_from_text(owner.heartbeat);
  const bool running = static_cast<double>(age) <= owner_lease_seconds && !surely_gone(owner);
  fmt::print("{:<10}{} on {} (process {}) since {}, last sign {} ago\n", label,
             running ? "running" : "ended without a word:", owner.host, owner.pid, owner.started,
             duration_text(static_cast<double>(std::max<std::int64_t>(age, 0))));
  if (running && images_left > 0) print_rate(last, images_left);
}

void print_account(const JournalOwner& owner, const std::string& folder) {
  if (!owner.account || owner.account->predicted.units == 0) return;
  fmt::print("predicted {}\n", predicted_text(*owner.account));
  fmt::print("measured  {}\n", measured_text(*owner.account, megabytes_of(folder)));
}

/// Each run that has not ended in order, what the last of each journal took beside what was predicted, and how far each
/// shard is.
void print_runs(const std::string& folder, const SweepContext& context, const JournalContent& journal) {
  bool none = true;
  std::map<std::uint32_t, std::vector<ChipCounts>> counts;  // by number of shards: a pass over the grid each
  for (const auto& [name, owner] : journal.owners) {
    const Shard shard = shard_from_name(name).value_or(Shard{});
    const auto [known, added] = counts.try_emplace(shard.count);
    if (added) known->second = count_chips(context, journal.work, shard.count);
    const ChipCounts& chips = known->second[shard.number - 1];
    const std::string label = shard.whole() ? "run" : "shard " + shard.text();
    if (!shard.whole()) {
      fmt::print("{:<10}{} of {} done, {} failed\n", label, grouped(chips.done), counted(chips.chips, "chip"),
                 grouped(chips.failed));
    }
    if (!owner.record.released) {
      none = false;
      print_owner(label, owner, chips.left() * context.image_count);
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

constexpr std::size_t log_lines_shown = 10;

/// Why a unit failed, the end of its executor's log indented, and how to see it again.
void print_failure(const std::string& folder, const Id128& id, const Unit& unit, const FailedSpan& span) {
  fmt::print("failed    point {} trial {} images {}..{} after {} attempts on {}: {}{}\n", unit.point, unit.trial,
             unit.first, unit.first + unit.count - 1, span.attempts, span.host, span.reason,
             span.signal ? fmt::format(" [signal {}]", span.signal) : "");
  std::size_t begin = span.log.size();
  for (std::size_t lines = 0; lines < log_lines_shown && begin > 0; ++lines) {
    const std::size_t newline = begin > 1 ? span.log.rfind('\n', begin - 2) : std::string::npos;
    begin = newline == std::string::npos ? 0 : newline + 1;
  }
  for (std::size_t at = begin; at < span.log.size();) {
    const std::size_t end = std::min(span.log.find('\n', at), span.log.size());
    fmt::print("          | {}\n", std::string_view(span.log).substr(at, end - at));
    at = end + 1;
  }
  fmt::print("          {}\n", command_to_replay(shell_word(folder), id, unit));
}

void print_failures(const std::string& folder, const SweepContext& context, const ChosenPoints& points,
                    const JournalContent& journal) {
  std::size_t shown = 0, found = 0;
  const ImageSpan whole{context.first_image, context.image_count};
  for (std::uint64_t n = 0; n < points.size(); ++n) {
    const auto [index, trials] = points[n];
    const Id128 id = context.grid.id(index);
    if (!journal.work.has_point(id)) continue;
    for (std::uint32_t trial = 0; trial < trials; ++trial) {
      for (const FailedSpan& span : journal.work.trial(id, trial, whole, context.sweep.metrics).failed) {
        ++found;
        if (shown == failures_shown) continue;
        ++shown;
        const Unit unit{index, trial, span.images.first, static_cast<std::uint32_t>(span.images.count)};
        print_failure(folder, id, unit, span);
      }
    }
  }
  if (found > shown) fmt::print("          and {} more failed units\n", found - shown);
}

/// Where a sweep that decides in rounds stands; what is counted is what was decided so far.
void print_round(const RoundPlan& plan, const RoundPlan::Choice& choice, const ChipCounts& chips) {
  const RoundPlan::Bound most = plan.bound();
  fmt::print("round     {} of at most {}{}; at most {} in all\n", choice.round, most.rounds,
             chips.left() == 0 ? ", the last" : "", counted(most.chips, "chip"));
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
  const SweepContext context = recorded_sweep(folder);
  const JournalContent journal = read_journal(posix_files(), folder);
  const ChipCounts chips = count_chips(context, journal.work, shard);
  if (values->count("check")) return static_cast<int>(chips.exit_code());
  if (!shard.whole()) throw Error(ExitCode::usage, "--shard needs --check or --records");
  const RoundPlan plan = round_plan(context);
  const RoundPlan::Choice choice = plan.choose(journal.work);
  const DatabaseCounts counts = count_points(point_table(choice.points), journal.work, database_request(context, ""));

  fmt::print("sweep     {} in {}\n", context.sweep.name, folder);
  fmt::print("points    {} of {} done ({:.1f} %), {} failed, {} begun, {} pending\n", grouped(counts.done),
             grouped(counts.points),
             100.0 * static_cast<double>(counts.done) / static_cast<double>(std::max<std::uint64_t>(counts.points, 1)),
             grouped(counts.failed), grouped(counts.partial), grouped(counts.pending));
  fmt::print("chips     {} of {} done, {} failed\n", grouped(chips.done), grouped(chips.chips), grouped(chips.failed));
  if (plan.in_rounds()) print_round(plan, choice, chips);
  if (counts.expected.total()) fmt::print("expected  {}\n", counts.expected.text());
  print_runs(folder, context, journal);
  print_submitted(folder);
  for (const JournalLoss& loss : journal.losses) {
    // A line without its end is one that is being written at this moment.
    if (!loss.at_end) fmt::print("journal   {}\n", loss.text());
  }
  print_failures(folder, context, choice.points, journal);
  return 0;
}

}  // namespace crossgrid
