#include "crossgrid/app/progress_line.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

#include "crossgrid/app/work_estimate.hpp"

namespace crossgrid {

namespace {
constexpr std::chrono::milliseconds terminal_interval{200};
constexpr std::chrono::seconds log_interval{10};
}  // namespace

ProgressLine::ProgressLine(bool quiet)
    : quiet_(quiet),
      terminal_(isatty(STDERR_FILENO) == 1),
      next_(std::chrono::steady_clock::now() +
            (terminal_ ? terminal_interval : std::chrono::milliseconds(log_interval))) {}

void ProgressLine::update(const EngineProgress& progress) {
  const auto now = std::chrono::steady_clock::now();
  if (quiet_ || now < next_) return;
  if (terminal_) {
    next_ = now + terminal_interval;
    fmt::print(stderr, "\r\x1b[K{}", progress_text(progress));
    drawn_ = true;
  } else {
    next_ = now + log_interval;
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
