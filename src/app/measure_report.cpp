#include "crossgrid/app/measure_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "crossgrid/app/work_estimate.hpp"
#include "crossgrid/engine/statistics.hpp"

namespace crossgrid {

namespace {

TrialStatistics statistics(const PointMeasures& measures, std::size_t layer, double LayerMeasures::*value) {
  std::vector<double> values;
  for (const auto& trial : measures.trials) values.push_back(trial[layer].*value);
  return trial_statistics(values);
}

/// Counts of LayerEvents by their names in reports.
struct EventCount {
  const char* name;
  const char* title;
  std::uint64_t LayerEvents::*count;
};
constexpr EventCount event_names[] = {
    {"mvms", "MVMs", &LayerEvents::mvms},
    {"array_activations", "activations", &LayerEvents::array_activations},
    {"cells_read", "cells read", &LayerEvents::cells_read},
    {"dac_conversions", "DAC", &LayerEvents::dac_conversions},
    {"adc_conversions", "ADC", &LayerEvents::adc_conversions},
    {"additions", "additions", &LayerEvents::additions},
    {"shift_adds", "shift-adds", &LayerEvents::shift_adds},
    {"offset_additions", "offset adds", &LayerEvents::offset_additions},
    {"digital_multiplications", "digital mult.", &LayerEvents::digital_multiplications},
};

/// "ideal" or the number of bits: conversions of different bits cost differently.
std::string bits_text(const std::optional<int>& bits) {
  return bits ? std::to_string(*bits) : "ideal";
}

void add_layer_text(std::string& text, const PointMeasures& measures, std::size_t layer) {
  const MatrixLayer& shape = measures.layers[layer];
  const auto out = std::back_inserter(text);
  fmt::format_to(out, "\n{}: {} x {}{}\n", shape.name, shape.rows, shape.cols,
                 measures.events[layer].analog ? "" : ", digital");
  for (const LayerMeasure& measure : layer_measure_names()) {
    const TrialStatistics found = statistics(measures, layer, measure.value);
    if (!std::isfinite(found.mean)) continue;
    fmt::format_to(out, "  {:<20}{:>12.5g}", measure.name, found.mean);
    if (std::isfinite(found.ci95_low)) fmt::format_to(out, "  [{:.5g}, {:.5g}]", found.ci95_low, found.ci95_high);
    text += '\n';
  }
}

void add_events_text(std::string& text, const std::vector<LayerEvents>& events) {
  const auto out = std::back_inserter(text);
  std::size_t width = 5;
  for (const LayerEvents& layer : events) width = std::max(width, layer.layer.size());
  fmt::format_to(out, "\nevents per image\n{:<{}}  {:>9}", "layer", width, "DAC/ADC");
  for (const EventCount& event : event_names) fmt::format_to(out, "{:>15}", event.title);
  text += '\n';
  for (const LayerEvents& layer : events) {
    const std::string bits =
        layer.analog ? fmt::format("{}/{}", bits_text(layer.dac_bits), bits_text(layer.adc_bits)) : "digital";
    fmt::format_to(out, "{:<{}}  {:>9}", layer.layer, width, bits);
    for (const EventCount& event : event_names) fmt::format_to(out, "{:>15}", grouped(layer.*event.count));
    text += '\n';
  }
  fmt::format_to(out, "{:<{}}  {:>9}", "all", width, "");
  for (const EventCount& event : event_names) {
    std::uint64_t sum = 0;
    for (const LayerEvents& layer : events) sum += layer.*event.count;
    fmt::format_to(out, "{:>15}", grouped(sum));
  }
  text += '\n';
}

Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json bits_json(const std::optional<int>& bits) {
  return bits ? Json(*bits) : Json("ideal");
}

Json events_json(const LayerEvents& events) {
  Json json = {{"arrays", events.arrays}, {"cells", events.cells}};
  if (events.analog) {
    json["dac_bits"] = bits_json(events.dac_bits);
    json["adc_bits"] = bits_json(events.adc_bits);
  }
  for (const EventCount& event : event_names) json[event.name] = events.*event.count;
  return json;
}

/// Sums over layers; conversions by bits.
Json totals_json(const std::vector<LayerEvents>& events) {
  Json totals = Json::object();
  for (const EventCount& event : event_names) {
    const bool dac = event.count == &LayerEvents::dac_conversions, adc = event.count == &LayerEvents::adc_conversions;
    if (dac || adc) {
      Json& by_bits = totals[event.name] = Json::object();
      for (const LayerEvents& layer : events) {
        if (!layer.analog) continue;
        const std::string bits = bits_text(dac ? layer.dac_bits : layer.adc_bits);
        by_bits[bits] = by_bits.value(bits, std::uint64_t{0}) + layer.*event.count;
      }
      continue;
    }
    std::uint64_t sum = 0;
    for (const LayerEvents& layer : events) sum += layer.*event.count;
    totals[event.name] = sum;
  }
  return totals;
}

}  // namespace

std::string measures_text(const PointMeasures& measures) {
  const std::size_t chips = measures.trials.size();
  std::string text =
      fmt::format("{} images, {} chip{}\n", measures.images, chips, chips == 1 ? "" : "s: means with 95 % intervals");
  for (std::size_t layer = 0; layer < measures.layers.size(); ++layer) add_layer_text(text, measures, layer);
  add_events_text(text, measures.events);
  return text;
}

Json measures_json(const PointMeasures& measures) {
  Json layers = Json::array();
  for (std::size_t layer = 0; layer < measures.layers.size(); ++layer) {
    const MatrixLayer& shape = measures.layers[layer];
    Json values = Json::object();
    for (const LayerMeasure& measure : layer_measure_names()) {
      const TrialStatistics found = statistics(measures, layer, measure.value);
      values[measure.name] = {
          {"mean", number(found.mean)}, {"ci95.low", number(found.ci95_low)}, {"ci95.high", number(found.ci95_high)}};
    }
    layers.push_back({{"layer", shape.name},
                      {"analog", measures.events[layer].analog},
                      {"rows", shape.rows},
                      {"cols", shape.cols},
                      {"measures", values},
                      {"events_per_image", events_json(measures.events[layer])}});
  }
  return {{"images", measures.images},
          {"trials", measures.trials.size()},
          {"layers", layers},
          {"events_per_image", totals_json(measures.events)}};
}

}  // namespace crossgrid
