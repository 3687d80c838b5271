#include "crossgrid/app/progress_line.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

#include "crossgrid/app/work_estimate.hpp"

namespace crossgrid {

namespace {
constexpr double terminal_interval = 0.2;  // [s]
constexpr double log_interval = 10;        // [s]
}  // namespace

ProgressLine::ProgressLine(bool quiet, const TimeSource& clock)
    : clock_(clock),
      quiet_(quiet),
      terminal_(isatty(STDERR_FILENO) == 1),
      interval_(terminal_ ? terminal_interval : log_interval),
      next_(clock.monotonic() + interval_) {}

void ProgressLine::update(const EngineProgress& progress) {
  const double now = clock_.monotonic();
  if (quiet_ || now < next_) return;
  next_ = now + interval_;
  if (terminal_) {
    fmt::print(stderr, "\r\x1b[K{}", progress_text(progress));
    drawn_ = true;
  } else {
    fmt::print(stderr, "{}\n", progress_text(progress));
  }
  std::fflush(stderr);
}

void ProgressLine::note(const std::string& line) {
  erase();
  fmt::print(stderr, "{}\n", line);
}

void ProgressLine::finish() {
  erase();
}

void ProgressLine::erase() {
  if (drawn_) fmt::print(stderr, "\r\x1b[K");
  drawn_ = false;
}

std::string progress_text(const EngineProgress& progress) {
  const std::uint64_t ended = progress.done + progress.failed;
  std::string text = fmt::format(
      "{} of {} units, {:.1f} %, {:.3g} units/s", grouped(ended), grouped(progress.total),
      progress.total ? 100.0 * static_cast<double>(ended) / static_cast<double>(progress.total) : 100.0, progress.rate);
  if (std::isfinite(progress.eta)) text += fmt::format(", {} left", duration_text(progress.eta));
  if (progress.failed) text += fmt::format(", {} failed", grouped(progress.failed));
  if (progress.retried) text += fmt::format(", {} retried", grouped(progress.retried));
  if (progress.lost_workers)
    text += fmt::format(", {} of {} workers silent", progress.lost_workers, progress.workers + progress.lost_workers);
  return text;
}

}  // namespace crossgrid
