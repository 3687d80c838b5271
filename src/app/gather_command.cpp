#include <fmt/format.h>

#include <set>
#include <vector>

#include "crossgrid/app/chip_counts.hpp"
#include "crossgrid/app/command_line.hpp"
#include "crossgrid/app/commands.hpp"
#include "crossgrid/app/output_request.hpp"
#include "crossgrid/app/recorded_sweep.hpp"
#include "crossgrid/app/status_file.hpp"
#include "crossgrid/app/work_estimate.hpp"
#include "crossgrid/base/clock.hpp"
#include "crossgrid/base/error.hpp"
#include "crossgrid/engine/folder_lock.hpp"
#include "crossgrid/engine/start_lock.hpp"
#include "crossgrid/engine/unit_census.hpp"

namespace crossgrid {

namespace {

namespace po = boost::program_options;

constexpr CommandHelp help{
    "gather", "DIR",
    "Merges the journals of all shards of a sweep into its database and checks that each unit is counted once. May be\n"
    "used while shards run: points that are not done yet say so. Exits with 0 (done), 3 (complete with failed points) "
    "or\n"
    "75 (to be continued).",
    "  crossgrid gather results/quickstart"};

std::string journal_text(const std::string& shard) {
  return shard.empty() ? "journal" : "journal-" + shard;
}

FolderLock lock_for_gathering(const std::string& folder) {
  const StartLock start(posix_files(), folder);
  return FolderLock(posix_files(), system_time(), folder, this_process(), gather_lock_name, [&] {
    FolderLock::Owners owners;
    for (const auto& [shard, owner] : read_journal(posix_files(), folder).owners) owners[shard] = owner.record;
    return owners;
  });
}

/// Last bits of different numeric classes differ: their results must not meet in one database unseen.
void check_numeric_classes(const std::string& folder, const JournalContent& journal) {
  for (const JournalHeader& header : journal.headers) {
    const JournalHeader& first = journal.headers.front();
    if (header.numeric_class == first.numeric_class) continue;
    throw Error(ExitCode::conflict,
                fmt::format("{}: its journals were computed with different numeric classes, whose last bits differ: {} "
                            "on host {}, {} on host {}",
                            folder, first.numeric_class, first.host, header.numeric_class, header.host));
  }
}

/// Every image of every done chip is in its sums once; count + not_finite is over images.
void check_each_image_once(const SweepContext& context, const RecordedWork& work) {
  const ImageSpan whole{context.first_image, context.image_count};
  for_each_chip(round_plan(context).choose(work).points, [&](const Chip& chip) {
    if (!work.has_point(chip.point)) return;
    const TrialState state = work.trial(chip.point, chip.trial, whole, context.sweep.metrics);
    for (const auto& [name, sum] : state.metrics) {
      if (sum.count + sum.not_finite == whole.count) continue;
      throw Error(ExitCode::bad_input,
                  fmt::format("point {}, trial {}: the records of {} count {} images, expected {}: they overlap or are "
                              "not of this program",
                              chip.index, chip.trial, name, sum.count + sum.not_finite, whole.count));
    }
  });
}

void print_census(const UnitCensus& census) {
  for (const auto& [shard, records] : census.records) {
    fmt::print("{:<16}{}\n", journal_text(shard), counted(records, "unit record"));
  }
  if (census.repeated.empty()) {
    fmt::print("{:<16}{}, each recorded once\n", "units", grouped(census.units));
    return;
  }
  fmt::print("{:<16}{}, each counted once; repeated records:\n", "units", grouped(census.units));
  for (const auto& [journals, count] : census.repeated) {
    if (journals.first == journals.second) {
      fmt::print("{:<16}{} in {} more than once\n", "", grouped(count), journal_text(journals.first));
    } else {
      fmt::print("{:<16}{} in both {} and {}\n", "", grouped(count), journal_text(journals.first),
                 journal_text(journals.second));
    }
  }
}

/// The number of shards that the journals are of; nothing where there is none, or several.
std::uint32_t shard_count(const UnitCensus& census) {
  std::set<std::uint32_t> counts;
  for (const auto& [name, records] : census.records) {
    if (const auto shard = shard_from_name(name)) counts.insert(shard->count);
  }
  return counts.size() == 1 ? *counts.begin() : 0;
}

void print_shards(const SweepContext& context, const JournalContent& journal, const UnitCensus& census) {
  const std::uint32_t count = shard_count(census);
  if (count == 0) return;
  const std::vector<ChipCounts> all = count_chips(context, journal.work, count);
  for (std::uint32_t number = 1; number <= count; ++number) {
    const Shard shard{number, count};
    const ChipCounts& chips = all[number - 1];
    fmt::print("{:<16}{} of {} done, {} failed, {} left{}\n", "shard " + shard.text(), grouped(chips.done),
               counted(chips.chips, "chip"), grouped(chips.failed), grouped(chips.left()),
               census.records.contains(shard.name()) ? "" : "; it has no journal here");
  }
}

}  // namespace

int gather_command(const Arguments& arguments) {
  po::options_description options("options");
  options.add_options()("folder", po::value<std::string>(), "output folder of a run");
  const auto values = parse_arguments(help, options, "folder", arguments);
  if (!values) return 0;
  const std::string folder = required_argument(help, *values, "folder", "the output folder");
  FileSystem& files = posix_files();
  const SweepContext context = recorded_sweep(folder);
  const Id128 sweep = hash_text(read_text(files, folder + "/sweep.json"));
  const FolderLock lock = lock_for_gathering(folder);
  const JournalContent journal = read_journal(files, folder);
  check_numeric_classes(folder, journal);
  check_each_image_once(context, journal.work);
  const UnitCensus census = count_units(files, folder);
  print_census(census);
  print_shards(context, journal, census);
  for (const JournalLoss& loss : journal.losses) {
    if (!loss.at_end) fmt::print("{:<16}{}\n", "damage", loss.text());
  }
  const DatabaseCounts counts =
      write_database(files, folder, point_table(round_plan(context).choose(journal.work).points), journal,
                     database_request(context, "crossgrid gather " + shell_word(folder)));
  const SweepState state = sweep_state(context, journal);
  StatusFile(files, system_time(), folder, sweep, std::nullopt).write(state, journal);
  fmt::print("{:<16}{} done, {} failed, {} left; wrote {}/points.jsonl\n", "all", counted(counts.done, "point"),
             grouped(counts.failed), grouped(counts.points - counts.done - counts.failed), folder);
  return static_cast<int>(state.chips.exit_code());
}

}  // namespace crossgrid
