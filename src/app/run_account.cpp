#include "crossgrid/app/run_account.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace crossgrid {

namespace {

bool complete(const RunAccount& account) {
  return account.measured.units >= account.predicted.units;
}

std::string size_text(double megabytes) {
  return megabytes < 10 ? fmt::format("{:.2g} MB", megabytes) : fmt::format("{:.0f} MB", megabytes);
}

}  // namespace

RunAccount::Predicted predict_run(const WorkEstimate& work, std::uint64_t units, std::uint64_t units_in_folder,
                                  int workers, int threads) {
  RunAccount::Predicted predicted;
  predicted.units = units;
  predicted.workers = workers;
  predicted.threads = threads;
  predicted.cost = work.thread_seconds(units);
  predicted.unit_seconds = predicted.cost / threads;
  predicted.seconds = predicted.unit_seconds / workers;
  predicted.megabytes = work.megabytes;
  predicted.disk_megabytes = work.disk_megabytes(units_in_folder);
  return predicted;
}

std::optional<double> time_ratio(const RunAccount& account) {
  const RunAccount::Predicted& predicted = account.predicted;
  const RunAccount::Measured& measured = account.measured;
  if (static_cast<double>(measured.units) < telling_share * static_cast<double>(predicted.units)) return std::nullopt;
  const double expected = predicted.cost > 0 ? predicted.unit_seconds * measured.cost / predicted.cost : 0;
  if (expected <= 0 || measured.unit_seconds <= 0) return std::nullopt;
  return measured.unit_seconds / expected;
}

std::optional<double> seconds_left(const RunAccount& account, double since) {
  const std::optional<double> ratio = time_ratio(account);
  if (!ratio) return std::nullopt;
  const RunAccount::Predicted& predicted = account.predicted;
  const double share = std::max(0.0, 1 - account.measured.cost / predicted.cost);
  return std::max(0.0, predicted.seconds * share * *ratio - since);
}

std::string predicted_text(const RunAccount& account) {
  const RunAccount::Predicted& predicted = account.predicted;
  return fmt::format("{} in {} on {} x {}, {} per worker, {} on disk", counted(predicted.units, "unit"),
                     about_text(predicted.seconds), counted(static_cast<std::uint64_t>(predicted.workers), "worker"),
                     counted(static_cast<std::uint64_t>(predicted.threads), "thread"), size_text(predicted.megabytes),
                     size_text(predicted.disk_megabytes));
}

std::string measured_text(const RunAccount& account, double disk_megabytes) {
  const RunAccount::Predicted& predicted = account.predicted;
  const RunAccount::Measured& measured = account.measured;
  std::string text = complete(account)
                         ? counted(measured.units, "unit")
                         : fmt::format("{} of {}", grouped(measured.units), counted(predicted.units, "unit"));
  text += " in " + duration_text(measured.seconds);
  if (const std::optional<double> ratio = time_ratio(account)) {
    text += fmt::format(", {:.2g} times as long as predicted", *ratio);
    if (!complete(account)) text += fmt::format(": {} in all", about_text(predicted.seconds * *ratio));
  } else if (!complete(account)) {
    text += fmt::format(", too few to compare (from {:.0f} % on)", 100 * telling_share);
  }
  if (measured.megabytes > 0) text += fmt::format("; {} per worker", size_text(measured.megabytes));
  return text + fmt::format("{} {} on disk", measured.megabytes > 0 ? "," : ";", size_text(disk_megabytes));
}

}  // namespace crossgrid
