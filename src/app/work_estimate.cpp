#include "crossgrid/app/work_estimate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "crossgrid/app/chip_counts.hpp"
#include "crossgrid/engine/database.hpp"

namespace crossgrid {

namespace {

constexpr double seconds_per_gigaflop = 0.06;
constexpr double seconds_per_unit = 7e-3;  ///< programming, handing over
constexpr double seconds_per_image = 13e-6;
constexpr double seconds_per_wired_cell = 0.6e-6;  ///< for the transfer matrices of a unit's chip
/// More points than this are not looked at one by one, but sampled.
constexpr std::uint64_t looked_at = 256;

constexpr std::uint64_t no_point = ~std::uint64_t{0};

constexpr double program_megabytes = 70;
constexpr double weight_bytes = 64;  ///< two cells, a variance and a packed copy, of the chips that a process keeps

constexpr double unit_line_bytes = 190, metric_bytes = 65;  ///< of the journal
constexpr double row_bytes = 250, row_metric_bytes = 170;   ///< of points.jsonl
constexpr double definition_frame_bytes = 90, definition_base_bytes = 42;
constexpr std::uint64_t definitions_per_whole = 1000;  ///< of neighbours, the others say what differs from it

double megaflops_per_image(const std::vector<LayerPlan>& layers) {
  double megaflops = 0;
  for (const LayerPlan& layer : layers) megaflops += layer.megaflops_per_image;
  return megaflops;
}

PointCost cost_of(const Point& point, const std::vector<LayerPlan>& layers) {
  PointCost cost{seconds_per_unit, seconds_per_image + megaflops_per_image(layers) * 1e-3 * seconds_per_gigaflop};
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    if (point.hardware[layer].array.wires.any()) cost.per_unit += layers[layer].cells * seconds_per_wired_cell;
  }
  return cost;
}

/// Of a point's line in the journal, where the points are recorded in their order.
double definition_bytes_of(const Grid& grid, std::uint64_t index) {
  const std::uint64_t base = index - index % definitions_per_whole;
  const Json parameters = grid.resolved(index);
  const std::optional<Json> changed =
      base < index ? changed_parameters(grid.resolved(base), parameters) : std::optional<Json>();
  return definition_frame_bytes + (changed ? static_cast<double>(changed->dump().size()) + definition_base_bytes
                                           : static_cast<double>(parameters.dump().size()));
}

/// Sums over points that were looked at, weighted by their work.
struct Sample {
  double points = 0, chips = 0, images = 0;
  double unit_seconds = 0, image_seconds = 0, gigaflops = 0, definition_bytes = 0;

  void add(const SweepContext& context, std::uint64_t index, double its_chips, double its_images) {
    const Point point = context.grid.point(index);
    const std::vector<LayerPlan> layers = plan_layers(context.network, point.hardware);
    const PointCost cost = cost_of(point, layers);
    points += 1, chips += its_chips, images += its_images;
    unit_seconds += its_chips * cost.per_unit;
    image_seconds += its_images * cost.per_image;
    gigaflops += its_images * megaflops_per_image(layers) * 1e-3;
    definition_bytes += definition_bytes_of(context.grid, index);
  }
};

}  // namespace

PointCost point_cost(const SweepContext& context, std::uint64_t index) {
  const Point point = context.grid.point(index);
  return cost_of(point, plan_layers(context.network, point.hardware));
}

double WorkEstimate::disk_megabytes(std::uint64_t units) const {
  const auto names = static_cast<double>(metrics);
  const double rows = points <= single_document_limit ? 2 : 1;  // database.json repeats them
  const double bytes = static_cast<double>(points - duplicates) * definition_bytes +
                       static_cast<double>(units) * (unit_line_bytes + names * metric_bytes) +
                       rows * static_cast<double>(points) * (row_bytes + names * row_metric_bytes);
  return bytes * 1e-6;
}

WorkEstimate estimate_work(const SweepContext& context, const RecordedWork& recorded, const Shard& shard) {
  WorkEstimate work;
  work.points = context.grid.size();
  work.metrics = context.sweep.metrics.size();
  const ImageSpan whole{context.first_image, context.image_count};
  const std::uint64_t stride = std::max<std::uint64_t>(1, work.points / looked_at);
  Sample sample;
  std::uint64_t distinct = 0;
  std::uint64_t next_sample = 0;
  std::uint64_t point_chips = 0, point_images = 0;
  std::uint64_t point_index = no_point;
  const auto end_point = [&] {
    if (point_chips > 0 && point_index >= next_sample) {
      sample.add(context, point_index, static_cast<double>(point_chips), static_cast<double>(point_images));
      next_sample = point_index + stride;
    }
    point_chips = point_images = 0;
  };
  for_each_chip(ChosenPoints(context.grid), [&](const Chip& chip) {
    if (chip.index != point_index) {
      end_point();
      point_index = chip.index;
      ++distinct;
    }
    ++work.chips;
    if (!shard.has(chip.number)) return;
    std::uint64_t images = 0;
    for (const ImageSpan& span : recorded.missing(chip.point, chip.trial, whole, context.sweep.metrics)) {
      images += span.count;
    }
    if (images == 0) return;
    ++point_chips;
    point_images += images;
    work.inferences += images;
  });
  end_point();
  work.duplicates = work.points - distinct;
  if (sample.chips > 0) {
    work.seconds_per_unit = sample.unit_seconds / sample.chips;
    work.seconds_per_image = sample.image_seconds / sample.images;
    work.gigaflops = sample.gigaflops / sample.images * static_cast<double>(work.inferences);
    work.definition_bytes = sample.definition_bytes / sample.points;
  }
  if (context.sweep.in_rounds()) {
    const RoundPlan::Bound most = round_plan(context).bound();
    work.points = most.points;
    // So many at least are equal to others.
    work.duplicates = most.points - std::min(most.points, distinct);
    const double share = std::min(1.0, static_cast<double>(most.chips) / static_cast<double>(work.chips));
    work.chips = std::min(work.chips, most.chips);
    work.inferences = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(work.inferences)));
    work.gigaflops *= share;
  }
  double weights = 0;
  for (const MatrixLayer& layer : matrix_layers(context.network)) {
    weights += static_cast<double>(layer.rows) * layer.cols;
  }
  const double image_bytes =
      static_cast<double>(context.test->size()) * static_cast<double>(context.network.input.size());
  work.megabytes = (weights * weight_bytes + image_bytes) * 1e-6 + program_megabytes;
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
