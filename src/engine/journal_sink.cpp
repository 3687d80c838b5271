#include "crossgrid/engine/journal_sink.hpp"

#include <fmt/format.h>

#include <utility>

#include "crossgrid/base/error.hpp"

namespace crossgrid {

namespace {

constexpr double seconds_between_tries = 1;

}  // namespace

JournalSink::JournalSink(OutputFolder& folder, const TimeSource& clock, std::string host,
                         std::function<void(const std::string&)> warn, double patience)
    : folder_(folder), clock_(clock), host_(std::move(host)), warn_(std::move(warn)), patience_(patience) {}

void JournalSink::append(std::vector<UnitResult> results, std::function<void()> durable) {
  waiting_.push_back({std::move(results), std::move(durable)});
  if (full_since_ < 0) try_waiting();
}

/// Writes what waits, in order, as long as the disk takes it.
void JournalSink::try_waiting() {
  while (!waiting_.empty()) {
    if (folder_.append(waiting_.front().results, host_) == AppendOutcome::disk_full) {
      if (full_since_ < 0) {
        full_since_ = clock_.monotonic();
        warn_(
            fmt::format("the disk is full: paused, results are held in memory; trying again for {:.0f} s", patience_));
      }
      try_again_at_ = clock_.monotonic() + seconds_between_tries;
      return;
    }
    written_.push_back({folder_.appended(), std::move(waiting_.front().durable)});
    waiting_.pop_front();
  }
  if (full_since_ >= 0) {
    warn_("the disk takes results again: the run goes on");
    full_since_ = -1;
  }
}

void JournalSink::poll() {
  if (full_since_ >= 0 && clock_.monotonic() >= try_again_at_) {
    const bool patient = clock_.monotonic() - full_since_ < patience_;
    try_waiting();
    if (full_since_ >= 0 && !patient) flush();
  }
  folder_.tick();
  acknowledge();
}

void JournalSink::flush() {
  try_waiting();
  folder_.sync();
  acknowledge();
  if (!waiting_.empty()) {
    throw Error(ExitCode::storage, fmt::format("the disk is full: {} batches of results could not be written; results "
                                               "recorded before are kept, the same command continues",
                                               waiting_.size()));
  }
}

void JournalSink::acknowledge() {
  while (!written_.empty() && written_.front().appended <= folder_.durable()) {
    const std::function<void()> durable = std::move(written_.front().durable);
    written_.pop_front();
    if (durable) durable();
  }
}

}  // namespace crossgrid
