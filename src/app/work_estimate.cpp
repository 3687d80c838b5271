#include "crossgrid/app/work_estimate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_set>

namespace crossgrid {

namespace {

/// Products per thread and second that small layers with converters reach on a current processor: a first guess that
/// measured times replace as soon as a run has started.
constexpr double nominal_flops = 20e9;
/// More points than this are not planned one by one, but sampled.
constexpr std::uint64_t planned_points = 256;

double gigaflops_per_image(const SweepContext& context, std::uint64_t index) {
  double megaflops = 0;
  for (const LayerPlan& layer : plan_layers(context.network, context.grid.point(index).hardware)) {
    megaflops += layer.megaflops_per_image;
  }
  return megaflops * 1e-3;
}

}  // namespace

WorkEstimate estimate_work(const SweepContext& context) {
  WorkEstimate work;
  work.points = context.grid.size();
  std::unordered_set<Id128, Id128Hasher> seen;
  const std::uint64_t stride = std::max<std::uint64_t>(1, work.points / planned_points);
  double sampled_flops = 0;
  std::uint64_t sampled = 0;
  for (std::uint64_t i = 0; i < work.points; ++i) {
    if (!seen.insert(context.grid.id(i)).second) {
      ++work.duplicates;
      continue;
    }
    work.chips += context.grid.trials(i);
    if (i % stride == 0) {
      sampled_flops += gigaflops_per_image(context, i);
      ++sampled;
    }
  }
  work.inferences = work.chips * context.image_count;
  work.gigaflops = sampled ? sampled_flops / static_cast<double>(sampled) * static_cast<double>(work.inferences) : 0;
  work.seconds_per_thread = work.gigaflops * 1e9 / nominal_flops;
  double weights = 0;
  for (const MatrixLayer& layer : matrix_layers(context.network)) {
    weights += static_cast<double>(layer.rows) * layer.cols;
  }
  const double image_bytes =
      static_cast<double>(context.test->size()) * static_cast<double>(context.network.input.size());
  // Two cells, a variance and a packed copy per weight, for the chips that a process keeps (its cache holds some).
  work.megabytes = (weights * 4 * 16 + image_bytes) * 1e-6 + 60;
  return work;
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::llround(std::max(seconds, 0.0)));
  if (whole < 1) return "under 1 s";
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  if (whole < 86400) return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
  return fmt::format("{} d {} h", whole / 86400, whole / 3600 % 24);
}

std::string about_text(double seconds) {
  const std::string text = duration_text(seconds);
  return text.starts_with("under") ? text : "about " + text;
}

std::string grouped(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string counted(std::uint64_t number, const char* noun) {
  return fmt::format("{} {}{}", grouped(number), noun, number == 1 ? "" : "s");
}

}  // namespace crossgrid
