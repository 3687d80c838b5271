#include "crossgrid/engine/journal_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "crossgrid/base/error.hpp"

namespace crossgrid {

namespace {

/// Points that are defined by one other: so many definitions, at most, become useless where that one's line is damaged.
constexpr int most_base_uses = 1000;

/// Number of the last segment of this writer's journal, 0: none.
std::uint32_t last_segment(FileSystem& files, const std::string& folder, const std::string& shard) {
  std::uint32_t last = 0;
  for (const std::string& path : journal_segments(files, folder)) {
    const std::string name = path.substr(folder.size() + 1);
    constexpr std::size_t end = 12;  // NNNNNN.jsonl
    std::uint32_t number = 0;
    std::from_chars(name.data() + name.size() - end, name.data() + name.size() - end + 6, number);
    if (name == journal_segment_name(shard, number)) last = std::max(last, number);
  }
  return last;
}

}  // namespace

JournalWriter::JournalWriter(FileSystem& files, const TimeSource& clock, const std::string& folder,
                             JournalHeader header, const JournalContent& content, JournalWriterOptions options)
    : files_(files),
      clock_(clock),
      folder_(folder),
      header_(std::move(header)),
      options_(std::move(options)),
      defined_(content.defined) {
  number_ = std::max(1u, last_segment(files_, folder_, options_.shard));
  open_segment();
  const auto tail = content.tails.find(path_);
  if (tail != content.tails.end()) mend_tail(tail->second);
}

void JournalWriter::open_segment() {
  path_ = folder_ + "/" + journal_segment_name(options_.shard, number_);
  const IoResult opened = open_file(files_, path_, OpenMode::append, file_);
  if (!opened.ok()) fail("open it", opened.error);
  const IoResult size = file_->size();
  if (!size.ok()) fail("ask its size", size.error);
  size_ = static_cast<std::uint64_t>(size.value);
  // A new file's name must be durable before any record in it is said to be.
  const IoResult synced = sync_folder(files_, folder_);
  if (!synced.ok()) fail("sync its folder", synced.error);
  header_due_ = true;
  base_.reset();
}

void JournalWriter::mend_tail(const JournalTail& tail) {
  if (tail.size != size_) {
    throw Error(ExitCode::busy,
                fmt::format("{}: was {} bytes long when read and is {} now: another program writes to it", path_,
                            tail.size, size_));
  }
  if (tail.size == tail.good_end) return;
  if (tail.open_record) {
    const IoResult ended = write_all(*file_, "\n");
    if (!ended.ok()) fail("end its last line", ended.error);
    size_ += 1;
    repair_ = fmt::format("{}: added the missing end of the last line", path_);
  } else {
    const IoResult cut = truncate_file(*file_, tail.good_end);
    if (!cut.ok()) fail("cut its torn last line off", cut.error);
    size_ = tail.good_end;
    repair_ = fmt::format("{}: cut {} bytes of a torn last line off", path_, tail.size - tail.good_end);
  }
  const IoResult synced = sync_file(*file_);
  if (!synced.ok()) fail("sync it", synced.error);
}

/// Starts a batch with what has to come before its records.
void JournalWriter::begin_batch() {
  if (!failure_.empty()) throw Error(ExitCode::storage, failure_);
  if (size_ >= options_.segment_bytes) {
    sync();
    ++number_;
    open_segment();
  }
  batch_.clear();
  if (header_due_) batch_ = journal_line(header_);
}

/// Adds a point's definition to the batch: neighbours in a grid differ in few parameters.
void JournalWriter::define(const Id128& point, Json parameters) {
  std::optional<Json> changed;
  if (base_ && base_->uses < most_base_uses) changed = changed_parameters(base_->parameters, parameters);
  if (changed && 2 * changed->size() < parameters.size()) {
    ++base_->uses;
    batch_ += journal_line(PointDefinition{point, changed->dump(), base_->point});
  } else {
    batch_ += journal_line(PointDefinition{point, parameters.dump()});
    base_ = Base{point, std::move(parameters)};
  }
}

/// Writes the batch with one write(2), or as many as the system needs, or leaves the journal as it was.
AppendOutcome JournalWriter::put_batch() {
  const IoResult written = write_all(*file_, batch_);
  if (!written.ok()) {
    const IoResult cut = written.value > 0 ? truncate_file(*file_, size_) : IoResult{};
    if (!cut.ok()) fail("cut a torn line off", cut.error);
    if (is_disk_full(written.error)) return AppendOutcome::disk_full;
    fail("write to it", written.error);
  }
  size_ += batch_.size();
  header_due_ = false;
  if (unsynced_since_ < 0) unsynced_since_ = clock_.monotonic();
  return AppendOutcome::written;
}

AppendOutcome JournalWriter::append(std::span<const Entry> entries, std::string_view host,
                                    const std::function<Json(std::uint64_t point)>& parameters_of) {
  begin_batch();
  IdSet defined_now;
  for (const Entry& entry : entries) {
    if (!defined_.contains(entry.point) && defined_now.insert(entry.point)) {
      define(entry.point, parameters_of(entry.result->unit.point));
    }
    append_journal_line(batch_, entry.point, *entry.result, host_of(*entry.result, host));
  }
  const AppendOutcome outcome = put_batch();
  if (outcome == AppendOutcome::written) {
    appended_ += entries.size();
    for (const Id128& point : defined_now.ids()) defined_.insert(point);
  } else {
    base_.reset();  // it may not be in the journal
  }
  return outcome;
}

AppendOutcome JournalWriter::append(const OwnerRecord& owner) {
  begin_batch();
  batch_ += journal_line(owner);
  return put_batch();
}

AppendOutcome JournalWriter::append(const RunAccount& account) {
  begin_batch();
  batch_ += journal_line(account);
  return put_batch();
}

double JournalWriter::seconds_to_sync() const {
  if (unsynced_since_ < 0) return std::numeric_limits<double>::infinity();
  return unsynced_since_ + options_.sync_seconds - clock_.monotonic();
}

void JournalWriter::sync() {
  if (!failure_.empty()) throw Error(ExitCode::storage, failure_);
  if (unsynced_since_ < 0) return;
  const IoResult synced = sync_file(*file_);
  if (!synced.ok()) fail("sync it", synced.error);
  durable_ = appended_;
  unsynced_since_ = -1;
}

void JournalWriter::fail(const std::string& what, int error) {
  failure_ = fmt::format("{}: can't {}: {}; results recorded before are kept, the same command continues", path_, what,
                         error_text(error));
  throw Error(ExitCode::storage, failure_);
}

}  // namespace crossgrid
