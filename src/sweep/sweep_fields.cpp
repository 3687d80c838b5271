#include "sweep_fields.hpp"

#include <algorithm>

#include "crossgrid/data/dataset_format.hpp"
#include "crossgrid/sweep/parameter.hpp"
#include "crossgrid/sweep/sweep_file.hpp"
#include "sample_axis.hpp"

namespace crossgrid {

const std::vector<std::string>& dataset_formats() {
  static const std::vector<std::string> words = [] {
    std::vector<std::string> all{"auto"};
    all.insert(all.end(), dataset_format_names().begin(), dataset_format_names().end());
    return all;
  }();
  return words;
}

const std::vector<std::string>& layouts() {
  static const std::vector<std::string> words{"auto", "nhwc", "nchw"};
  return words;
}

const std::vector<std::string>& calibration_methods() {
  static const std::vector<std::string> words{"least_squares", "least_absolute", "percentile", "max", "snr"};
  return words;
}

const std::vector<SweepField>& sweep_fields() {
  static const std::vector<SweepField> fields = [] {
    const Json text{{"type", "string"}, {"minLength", 1}};
    const Json number{{"type", "number"}};
    const Json numbers{{"type", "array"}, {"items", number}, {"minItems", 1}};
    const Json side{{"type", "integer"}, {"minimum", 1}, {"maximum", max_side}};
    const Json both{{"type", "array"}, {"items", side}, {"minItems", 2}, {"maxItems", 2}};
    const Json sides{{"anyOf", {side, both}}};
    const Json all{{"enum", {"all"}}};
    const Json first{{"type", "integer"}, {"minimum", 0}, {"maximum", max_seed}};
    const Json count{{"type", "integer"}, {"minimum", 1}, {"maximum", max_seed}};
    return std::vector<SweepField>{
        {"$schema", "the schema of this file, for editors", {{"type", "string"}}},
        {"name", "names the output folder and the Slurm job", {{"type", "string"}, {"pattern", name_pattern}}},
        {"about", "what the sweep is for", {{"type", "string"}}},
        {"network", "path of the network file", text},
        {"dataset.path", "folder or file of the data set", text},
        {"dataset.format", "how images are stored", {{"enum", dataset_formats()}}},
        {"dataset.split", "split to test on", text},
        {"dataset.images", "images to test on", all},
        {"dataset.images.first", "first image, in file order", first},
        {"dataset.images.count", "how many images", count},
        {"dataset.preprocess.scale", "factor of pixels or values", number},
        {"dataset.preprocess.mean", "subtracted, per channel", numbers},
        {"dataset.preprocess.std",
         "divided by, per channel",
         {{"type", "array"}, {"items", {{"type", "number"}, {"exclusiveMinimum", 0}}}, {"minItems", 1}}},
        {"dataset.preprocess.resize", "pixels of the shorter side, or [height, width], that images are brought to",
         sides},
        {"dataset.preprocess.crop", "pixels of both sides, or [height, width], of the centre that is used", sides},
        {"dataset.preprocess.layout", "order of the dimensions of arrays of images", {{"enum", layouts()}}},
        {"calibration.split", "split that ranges are calibrated on", text},
        {"calibration.images", "images that ranges are calibrated on", all},
        {"calibration.images.first", "first image, in file order", first},
        {"calibration.images.count", "how many images", count},
        {"calibration.method", "how ranges are chosen", {{"enum", calibration_methods()}}},
        {"calibration.percentile", "of the profiled values", {{"type", "number"}, {"minimum", 0}, {"maximum", 100}}},
        {"calibration.file", "file of calibrated ranges; no images are needed then", text},
        {"layers", "parameters of the layers that match, a later entry wins", {{"type", "array"}}},
        {"sample.method", "how points are placed between the ends of the parameters", {{"enum", sample_methods()}}},
        {"sample.points", "how many", {{"type", "integer"}, {"minimum", 1}, {"maximum", most_sample_points}}},
        {"sample.seed", "of a Latin hypercube, or of the digital shift of a Sobol sequence", first},
        {"sample.parameters", "what is drawn: parameter -> ends and scale", {{"type", "object"}}},
        {"bisect.axis", "axis that is searched for a crossing", text},
        {"bisect.metric", "what crosses the threshold", {{"enum", known_metrics()}}},
        {"bisect.threshold", "value of the metric that is searched for", number},
        {"bisect.worse_by",
         "instead of threshold: how much worse than at the axis's first value",
         {{"type", "number"}, {"exclusiveMinimum", 0}}},
        {"rounds.metric", "what decides which points get more trials", {{"enum", known_metrics()}}},
        {"rounds.first",
         "trials of the first round, doubled in each later one up to trials",
         {{"type", "integer"}, {"minimum", 1}, {"maximum", max_trials}}},
        {"rounds.keep_best",
         "fraction of the points that stay in the running after each round",
         {{"type", "number"}, {"exclusiveMinimum", 0}, {"exclusiveMaximum", 1}}},
        {"rounds.stop_width",
         "width of the 95 % interval at which a point gets no more trials",
         {{"type", "number"}, {"exclusiveMinimum", 0}}},
        {"exclude", "points that are left out", {{"type", "array"}}},
        {"trials", "chips per point", {{"type", "integer"}, {"minimum", 1}, {"maximum", max_trials}}},
        {"seed", "of all random numbers", {{"type", "integer"}, {"minimum", 0}, {"maximum", max_seed}}},
        {"metrics",
         "what is measured",
         {{"type", "array"}, {"items", {{"enum", known_metrics()}}}, {"minItems", 1}, {"uniqueItems", true}}},
        {"expected", "published values that results are held to", {{"type", "array"}}},
    };
  }();
  return fields;
}

const SweepField* find_sweep_field(std::string_view path) {
  const auto& fields = sweep_fields();
  const auto found =
      std::find_if(fields.begin(), fields.end(), [&](const SweepField& field) { return field.path == path; });
  return found == fields.end() ? nullptr : &*found;
}

bool is_sweep_section(std::string_view path) {
  if (path == "hardware" || (path.starts_with("hardware.") && is_parameter_section(path.substr(9)))) {
    return true;
  }
  const auto& fields = sweep_fields();
  return std::any_of(fields.begin(), fields.end(), [&](const SweepField& field) {
    return field.path.size() > path.size() && field.path.starts_with(path) && field.path[path.size()] == '.';
  });
}

std::vector<std::string> sweep_names() {
  std::vector<std::string> names{"hardware", "grid", "sample", "bisect", "rounds", "dataset", "calibration", "include"};
  for (const SweepField& field : sweep_fields()) {
    names.push_back(field.path);
  }
  return names;
}

}  // namespace crossgrid
