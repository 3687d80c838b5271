#include "crossgrid/app/status_keeper.hpp"

#include <algorithm>
#include <utility>

#include "crossgrid/base/error.hpp"

namespace crossgrid {

namespace {

constexpr double least_seconds_between = 15;
/// Counting takes at most one of so many seconds: all else waits for it.
constexpr double times_its_cost = 50;

}  // namespace

StatusKeeper::StatusKeeper(ResultSink& sink, OutputFolder& folder, const SweepContext& context, FileSystem& files,
                           const TimeSource& clock, StatusFile& file, std::string path)
    : sink_(sink),
      folder_(folder),
      context_(context),
      files_(files),
      clock_(clock),
      file_(file),
      path_(std::move(path)),
      due_at_(clock.monotonic() + least_seconds_between) {}

void StatusKeeper::append(std::vector<UnitResult> results, std::function<void()> durable) {
  sink_.append(std::move(results), std::move(durable));
}

void StatusKeeper::poll() {
  sink_.poll();
  const double begin = clock_.monotonic();
  // A disk that is full has no room for what can be counted again.
  if (begin < due_at_ || !sink_.accepts()) return;
  if (worth_keeping()) keep();
  const double end = clock_.monotonic();
  due_at_ = end + std::max(least_seconds_between, times_its_cost * (end - begin));
}

bool StatusKeeper::worth_keeping() const {
  try {
    return !counted_at_once(context_.grid.size(), journal_bytes(files_, path_));
  } catch (const Error&) {
    return false;  // a folder that can't be looked at now
  }
}

void StatusKeeper::keep() {
  folder_.sync();  // what the file tells must not be lost after it
  if (!state_ || counted_ != folder_.appended()) state_ = sweep_state(context_, folder_.content());
  counted_ = folder_.appended();
  state_->owners = folder_.content().owners;
  file_.write(*state_, folder_.content());
}

}  // namespace crossgrid
