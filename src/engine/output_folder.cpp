#include "crossgrid/engine/output_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/version.hpp"
#include "crossgrid/engine/failpoint.hpp"

namespace crossgrid {

namespace {

constexpr std::size_t most_losses_told = 10;

/// What makes results of two runs unequal, in words; empty where nothing does.
std::vector<std::string> differences(const JournalHeader& there, const JournalHeader& now) {
  std::vector<std::string> result;
  const auto compare = [&](const char* what, const auto& a, const auto& b) {
    if (a != b) result.push_back(fmt::format("{} (there {}, now {})", what, a, b));
  };
  compare("the physics version", there.physics_version, now.physics_version);
  compare("the seed", there.seed, now.seed);
  compare("the network's content", there.network, now.network);
  compare("the data set's content", there.dataset, now.dataset);
  compare("the first test image", there.first_image, now.first_image);
  compare("the number of test images", there.images, now.images);
  compare("the numeric class", there.numeric_class, now.numeric_class);
  return result;
}

void add_results(RunAccount::Measured& measured, std::span<const UnitResult> results) {
  measured.units += results.size();
  for (const UnitResult& result : results) {
    measured.cost += result.cost;
    measured.unit_seconds += result.seconds;
    measured.megabytes = std::max(measured.megabytes, result.megabytes);
  }
}

}  // namespace

OutputFolder::OutputFolder(FileSystem& files, const TimeSource& clock, const ProcessIdentity& self,
                           OutputRequest request)
    : files_(files), clock_(clock), request_(std::move(request)) {
  request_.header.format = journal_format_version;
  request_.header.physics_version = physics_version;
  request_.header.time = utc_text(clock_.utc());
  create_folders(files_, request_.path);
  lock_.emplace(files_, clock_, request_.path, self, request_.journal.shard, [&] {
    content_ = read_journal(files_, request_.path);  // after the lock: nobody but other shards adds to it now
    FolderLock::Owners owners;
    for (const auto& [shard, owner] : content_.owners) owners[shard] = owner.record;
    return owners;
  });
  forget_lines_in_work();
  find_points();
  check_identity();
  tell_state();
  writer_ = std::make_unique<JournalWriter>(files_, clock_, request_.path, request_.header, content_, request_.journal);
  if (!writer_->repair().empty()) findings_.notes.push_back(writer_->repair());
  content_.headers.push_back(request_.header);
  replace_file(files_, request_.path + "/sweep.json", request_.header.sweep.dump(2) + "\n");
  if (keep_owner() == AppendOutcome::disk_full) {
    throw Error(ExitCode::storage,
                fmt::format("{}: the disk is full; make room, then run the same command again", request_.path));
  }
  writer_->sync();
  began_ = clock_.monotonic();
  heartbeat_at_ = began_ + owner_heartbeat_seconds;
}

OutputFolder::~OutputFolder() = default;

/// A line without its end in another shard's journal is one that is being written at this moment.
void OutputFolder::forget_lines_in_work() {
  std::erase_if(content_.losses, [&](const JournalLoss& loss) {
    return loss.at_end && !request_.journal.shard.empty() && journal_shard(loss.file) != request_.journal.shard;
  });
}

/// How much of this grid is recorded already.
void OutputFolder::find_points() {
  findings_.existed = !content_.headers.empty() || content_.unit_records > 0;
  std::vector<bool> found;
  const DatabaseCounts in_grid = count_points(request_.points, content_.work, request_.database, &found);
  findings_.points_elsewhere = static_cast<std::uint64_t>(std::count(found.begin(), found.end(), false));
  const DatabaseCounts counts = request_.chosen ? this->counts() : in_grid;
  findings_.points_done = counts.done;
  findings_.points_failed = counts.failed;
  findings_.points_begun = counts.partial;
  findings_.points_new = counts.pending;
}

/// Stops before results of different sweeps are mixed by mistake.
void OutputFolder::check_identity() const {
  if (request_.extend || content_.headers.empty()) return;
  std::string problem;
  std::vector<std::string> differing = differences(content_.headers.back(), request_.header);
  const bool known = std::any_of(content_.headers.begin(), content_.headers.end(), [&](const JournalHeader& header) {
    return differences(header, request_.header).empty();
  });
  if (!known) {
    problem = fmt::format("holds results of another sweep; what differs: {}", fmt::join(differing, "; "));
  } else if (content_.work.point_count() > 0 && findings_.points_elsewhere == content_.work.point_count()) {
    problem = fmt::format("holds results of {} points, none of which is in this grid", content_.work.point_count());
  } else {
    return;
  }
  throw Error(ExitCode::conflict,
              fmt::format("{}: {}\n  choose another folder with -o, or add to this one with --extend (what is there is "
                          "kept, but only points of this grid are in the database)",
                          request_.path, problem));
}

/// What the user should know about the journal that was found.
void OutputFolder::tell_state() {
  std::vector<std::string>& notes = findings_.notes;
  for (std::size_t i = 0; i < std::min(content_.losses.size(), most_losses_told); ++i) {
    notes.push_back(content_.losses[i].text());
  }
  if (content_.losses.size() > most_losses_told) {
    notes.push_back(fmt::format("{}: {} more damaged places; units without a record run again", request_.path,
                                content_.losses.size() - most_losses_told));
  }
  if (content_.work.duplicates() > 0) {
    notes.push_back(
        fmt::format("{}: {} repeated records, each counted once", request_.path, content_.work.duplicates()));
  }
  if (content_.other_physics > 0) {
    notes.push_back(
        fmt::format("{}: {} records of another physics version are not used", request_.path, content_.other_physics));
  }
  if (content_.unknown_kinds > 0) {
    notes.push_back(fmt::format("{}: {} lines of kinds that this program does not know are kept and not used",
                                request_.path, content_.unknown_kinds));
  }
}

std::optional<std::string> OutputFolder::numeric_class() const {
  return findings_.existed && !content_.headers.empty() ? std::optional(content_.headers.front().numeric_class)
                                                        : std::nullopt;
}

void OutputFolder::expect(const RunAccount::Predicted& predicted) {
  account_.emplace();
  account_->predicted = predicted;
  keep_account();
}

AppendOutcome OutputFolder::keep_owner(bool released) {
  const OwnerRecord record = lock_->record(released);
  const AppendOutcome outcome = writer_->append(record);
  if (outcome == AppendOutcome::written) owner().take(record);
  return outcome;
}

/// Like a heartbeat, it can be missed.
void OutputFolder::keep_account() {
  if (!account_) return;
  account_->measured.seconds = clock_.monotonic() - began_;
  if (writer_->append(*account_) == AppendOutcome::written) owner().account = account_;
}

AppendOutcome OutputFolder::append(std::span<const UnitResult> results, std::string_view host) {
  std::vector<JournalWriter::Entry> entries;
  entries.reserve(results.size());
  for (const UnitResult& result : results) entries.push_back({request_.points.id(result.unit.point), &result});
  const AppendOutcome outcome = writer_->append(entries, host, request_.parameters_of);
  if (outcome == AppendOutcome::written) {
    failpoint("journal.after_append");
    for (const JournalWriter::Entry& entry : entries) {
      UnitRecord record{entry.point, *entry.result, std::string(host_of(*entry.result, host))};
      if (record.result.status == UnitStatus::done) {
        owner().images += record.result.unit.count;
      } else {  // as it is read again
        record.result.reason = kept_reason(record.result.reason);
        record.result.log = kept_log(record.result.log);
      }
      content_.work.add(record);
    }
    if (account_) add_results(account_->measured, results);
  }
  return outcome;
}

void OutputFolder::tick() {
  if (clock_.monotonic() >= heartbeat_at_) {
    // A full disk is told by the next append of results; a heartbeat can be missed.
    keep_owner();
    keep_account();
    heartbeat_at_ = clock_.monotonic() + owner_heartbeat_seconds;
  }
  if (writer_->sync_due()) sync();
}

void OutputFolder::sync() {
  writer_->sync();
  failpoint("journal.after_sync");
}

DatabaseCounts OutputFolder::counts() const {
  return count_points(chosen_points(), content_.work, request_.database);
}

DatabaseCounts OutputFolder::write_database() {
  writer_->sync();
  failpoint("database.before_write");
  const DatabaseCounts counts =
      crossgrid::write_database(files_, request_.path, chosen_points(), content_, request_.database);
  failpoint("database.after_write");
  return counts;
}

void OutputFolder::close() {
  keep_account();
  keep_owner(true);
  writer_->sync();
  lock_.reset();
}

std::optional<std::string> recorded_numeric_class(FileSystem& files, const std::string& folder) {
  std::vector<std::string> names;
  if (!files.list(folder, names).ok()) return std::nullopt;
  std::optional<std::string> result;
  std::vector<JournalLoss> losses;
  for (const std::string& path : journal_segments(files, folder)) {
    read_segment(
        files, path,
        [&](JournalRecord&& record) {
          if (const auto* header = std::get_if<JournalHeader>(&record)) result = header->numeric_class;
          return !result;
        },
        losses);
    if (result) break;
  }
  return result;
}

}  // namespace crossgrid
