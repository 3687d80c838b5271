#include "crossgrid/app/error_budget.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "crossgrid/sweep/effective_hardware.hpp"

namespace crossgrid {

namespace {

bool converts(ConverterModel model) {
  return model != ConverterModel::ideal;
}

/// Whether the ADC's steps are those of weights and inputs: then neither can lose its steps alone.
bool granular(const LayerHardware& hardware) {
  return converts(hardware.adc.model) && hardware.adc.range == RangeRule::granular;
}

/// What a device file's numbers refer to.
void copy_measurements(const LayerHardware& from, LayerHardware& to) {
  to.device.measured = from.device.measured;
  to.device.r_min = from.device.r_min;
  to.device.read_voltage = from.device.read_voltage;
}

/// An ideal DAC with the range of this one: it sets the scale that ADC ranges in cell currents refer to.
DacConfig scale_of(DacConfig dac) {
  dac.model = ConverterModel::ideal;
  dac.slice_bits.reset();
  return dac;
}

}  // namespace

const std::vector<NonIdeality>& non_idealities() {
  using Hardware = LayerHardware;
  static const std::vector<NonIdeality> rows{
      {"programming error", "device.programming_error",
       [](const Hardware& h) { return h.device.programming_error.active(); },
       [](Hardware& h) { h.device.programming_error = {}; },
       [](const Hardware& from, Hardware& to) {
         copy_measurements(from, to);
         to.device.programming_error = from.device.programming_error;
         to.device.clip = from.device.clip;
       }},
      {"drift", "device.drift", [](const Hardware& h) { return h.device.drifts(); },
       [](Hardware& h) {
         h.device.drift = DriftModel::none;
         h.device.compensation = DriftCompensation::none;
       },
       [](const Hardware& from, Hardware& to) {
         copy_measurements(from, to);
         to.device.drift = from.device.drift;
         to.device.compensation = from.device.compensation;
         to.device.time = from.device.time;
         to.device.clip = from.device.clip;
       }},
      {"nonlinear current", "device.iv.model", [](const Hardware& h) { return h.device.iv != IvModel::linear; },
       [](Hardware& h) { h.device.iv = IvModel::linear; },
       [](const Hardware& from, Hardware& to) {
         copy_measurements(from, to);
         to.device.iv = from.device.iv;
       }},
      {"read noise", "device.read_noise", [](const Hardware& h) { return h.device.read_noise.active(); },
       [](Hardware& h) { h.device.read_noise = {}; },
       [](const Hardware& from, Hardware& to) {
         copy_measurements(from, to);
         to.device.time = from.device.time;
         to.device.read_noise = from.device.read_noise;
         to.device.read_noise_sampling = from.device.read_noise_sampling;
         to.device.clip = from.device.clip;
       }},
      {"faults", "device.faults", [](const Hardware& h) { return h.device.faults.active(); },
       [](Hardware& h) { h.device.faults = {}; },
       [](const Hardware& from, Hardware& to) { to.device.faults = from.device.faults; }},
      {"on/off ratio", "device.on_off_ratio", [](const Hardware& h) { return std::isfinite(h.device.on_off_ratio); },
       [](Hardware& h) { h.device.on_off_ratio = DeviceConfig{}.on_off_ratio; },
       [](const Hardware& from, Hardware& to) { to.device.on_off_ratio = from.device.on_off_ratio; }},
      {"levels", "device.cell_bits",
       [](const Hardware& h) { return (h.device.cell_bits || !h.device.levels.empty()) && !granular(h); },
       [](Hardware& h) {
         h.device.cell_bits.reset();
         h.device.levels.clear();
       },
       [](const Hardware& from, Hardware& to) {
         to.device.cell_bits = from.device.cell_bits;
         to.device.levels = from.device.levels;
       }},
      {"weight bits", "core.weight_bits",
       [](const Hardware& h) { return h.core.weight_bits.has_value() && h.core.slices == 1 && !granular(h); },
       [](Hardware& h) { h.core.weight_bits.reset(); },
       [](const Hardware& from, Hardware& to) { to.core.weight_bits = from.core.weight_bits; }},
      {"weight clipping", "core.clip", [](const Hardware& h) { return h.core.clip != WeightClip{}; },
       [](Hardware& h) { h.core.clip = {}; },
       [](const Hardware& from, Hardware& to) { to.core.clip = from.core.clip; }},
      {"column current limit", "array.column_current_max",
       [](const Hardware& h) { return h.array.column_current_max.has_value(); },
       [](Hardware& h) { h.array.column_current_max.reset(); },
       [](const Hardware& from, Hardware& to) {
         to.array = from.array;
         to.core = from.core;
         to.core.clip = {};
         if (from.core.slices == 1) to.core.weight_bits.reset();
         to.dac = from.dac.slice_bits ? from.dac : scale_of(from.dac);
       }},
      {"DAC", "dac", [](const Hardware& h) { return converts(h.dac.model) && !granular(h); },
       [](Hardware& h) { h.dac = scale_of(h.dac); }, [](const Hardware& from, Hardware& to) { to.dac = from.dac; }},
      {"ADC", "adc", [](const Hardware& h) { return converts(h.adc.model); }, [](Hardware& h) { h.adc = {}; },
       [](const Hardware& from, Hardware& to) {
         // What its range and its conversions are made for: slices of weights and inputs, and so their bits.
         to.adc = from.adc;
         to.array = from.array;
         to.array.column_current_max.reset();
         to.dac = from.dac.slice_bits ? from.dac : scale_of(from.dac);
         const std::optional<int> bits = from.core.slices > 1 || granular(from) ? from.core.weight_bits : std::nullopt;
         to.core = from.core;
         to.core.clip = {};
         to.core.weight_bits = bits;
         if (granular(from)) to.device.cell_bits = from.device.cell_bits;
       }},
      // Partial sums are only seen by what converts them.
      {"array splitting", "array.rows_max",
       [](const Hardware& h) { return h.array.rows_max.has_value() && converts(h.adc.model); },
       [](Hardware& h) { h.array.rows_max.reset(); },
       [](const Hardware& from, Hardware& to) {
         to.array = from.array;
         to.array.column_current_max.reset();
       }},
  };
  return rows;
}

LayerHardware ideal_hardware(const LayerHardware& hardware) {
  LayerHardware ideal;
  ideal.analog = hardware.analog;
  ideal.core.style = hardware.core.style;
  ideal.core.two_sided = hardware.core.two_sided;
  ideal.core.unit_column = hardware.core.unit_column;
  return ideal;
}

LayerHardware without(const NonIdeality& what, LayerHardware hardware) {
  if (hardware.analog && what.active(hardware)) what.remove(hardware);
  return hardware;
}

LayerHardware alone(const NonIdeality& what, const LayerHardware& hardware) {
  LayerHardware ideal = ideal_hardware(hardware);
  if (hardware.analog && what.active(hardware)) what.copy(hardware, ideal);
  return ideal;
}

Estimate paired_estimate(const MatrixD& differences) {
  const auto variance_of_mean = [](const auto& values) {
    const auto n = static_cast<double>(values.size());
    return n > 1 ? (values.array() - values.mean()).square().sum() / (n * (n - 1)) : 0.0;
  };
  Estimate estimate;
  if (differences.size() == 0) return estimate;
  estimate.mean = differences.mean();
  const Eigen::VectorXd by_image = differences.rowwise().mean();
  const Eigen::VectorXd by_trial = differences.colwise().mean().transpose();
  const double images = variance_of_mean(by_image), trials = variance_of_mean(by_trial);
  const double both = by_trial.size() > 1 && by_image.size() > 1 ? variance_of_mean(differences) : 0.0;
  estimate.error = std::sqrt(std::max({images + trials - both, images, trials}));
  return estimate;
}

namespace {

using Hardware = std::vector<LayerHardware>;

/// Of one setting: images x trials.
struct Outcome {
  MatrixD top1, loss, layer_error;

  BudgetScore score() const { return {top1.mean(), loss.mean(), layer_error.mean()}; }
};

bool active_anywhere(const NonIdeality& what, const Hardware& hardware) {
  return std::ranges::any_of(hardware, [&](const LayerHardware& h) { return h.analog && what.active(h); });
}

/// All settings that a budget needs, each run once however often it is wanted.
class BudgetRuns {
 public:
  BudgetRuns(InferenceEngine& engine, const BudgetRequest& request) : engine_(engine), request_(request) {}

  /// Index of its outcome after run().
  std::size_t want(Hardware hardware) {
    const auto found = std::ranges::find(wanted_, hardware);
    if (found != wanted_.end()) return static_cast<std::size_t>(found - wanted_.begin());
    wanted_.push_back(std::move(hardware));
    return wanted_.size() - 1;
  }

  void run(const std::function<void(std::size_t, std::size_t)>& progress) {
    std::size_t total = 0, done = 0;
    for (const Hardware& hardware : wanted_) total += trials_of(hardware);
    for (const Hardware& hardware : wanted_) {
      Outcome& outcome = outcomes_.emplace_back();
      for (MatrixD* values : {&outcome.top1, &outcome.loss, &outcome.layer_error}) {
        values->resize(request_.count, request_.trials);
      }
      for (std::uint32_t trial = 0; trial < request_.trials; ++trial) {
        if (trial < trials_of(hardware)) {
          measure(hardware, trial, outcome);
          if (progress) progress(++done, total);
        } else {
          for (MatrixD* values : {&outcome.top1, &outcome.loss, &outcome.layer_error}) {
            values->col(trial) = values->col(0);
          }
        }
      }
    }
  }

  const Outcome& operator[](std::size_t index) const { return outcomes_[index]; }

 private:
  std::uint32_t trials_of(const Hardware& hardware) const {
    const bool random = std::ranges::any_of(hardware, [](const LayerHardware& h) { return draws_random_numbers(h); });
    return random ? request_.trials : 1;
  }

  void measure(const Hardware& hardware, std::uint32_t trial, Outcome& outcome) {
    InferenceRequest request;
    request.hardware = hardware;
    request.seed = request_.seed, request.trial = trial;
    request.first = request_.first, request.count = request_.count;
    request.metrics = {"top1", "loss", "layer_error"};
    const MatrixD values = engine_.image_metrics(request);
    // Logits that are not finite name no class.
    outcome.top1.col(trial) = values.col(0).unaryExpr([](double v) { return std::isnan(v) ? 0.0 : v; });
    outcome.loss.col(trial) = values.col(1);
    outcome.layer_error.col(trial) = values.col(2);
  }

  InferenceEngine& engine_;
  const BudgetRequest& request_;
  std::vector<Hardware> wanted_;
  std::vector<Outcome> outcomes_;
};

/// A row before its runs.
struct PlannedRow {
  std::string name, parameters;
  std::size_t off = 0, alone = 0;
};

std::vector<PlannedRow> plan_rows(const Hardware& hardware, BudgetRuns& runs) {
  std::vector<PlannedRow> rows;
  for (const NonIdeality& what : non_idealities()) {
    if (!active_anywhere(what, hardware)) continue;
    Hardware off, on;
    for (const LayerHardware& layer : hardware) {
      off.push_back(without(what, layer));
      on.push_back(alone(what, layer));
    }
    rows.push_back({what.name, what.parameters, runs.want(std::move(off)), runs.want(std::move(on))});
  }
  return rows;
}

std::vector<PlannedRow> plan_layer_rows(const Hardware& hardware, const Hardware& ideal,
                                        const std::vector<std::string>& names, BudgetRuns& runs) {
  std::vector<PlannedRow> rows;
  for (std::size_t m = 0; m < hardware.size(); ++m) {
    if (!hardware[m].analog) continue;
    Hardware off = hardware, on = ideal;
    off[m] = ideal[m];
    on[m] = hardware[m];
    rows.push_back({names[m], "", runs.want(std::move(off)), runs.want(std::move(on))});
  }
  return rows;
}

std::vector<BudgetRow> finish_rows(const std::vector<PlannedRow>& planned, const BudgetRuns& runs,
                                   const MatrixD& floating, const MatrixD& point) {
  std::vector<BudgetRow> rows;
  for (const PlannedRow& plan : planned) {
    const Outcome &off = runs[plan.off], &alone = runs[plan.alone];
    rows.push_back({plan.name, plan.parameters, off.score(), alone.score(), paired_estimate(off.top1 - point),
                    paired_estimate(floating - alone.top1)});
  }
  std::ranges::stable_sort(rows, std::ranges::greater{}, [](const BudgetRow& row) { return row.gain.mean; });
  return rows;
}

}  // namespace

ErrorBudget error_budget(InferenceEngine& engine, const std::vector<std::string>& layer_names,
                         const BudgetRequest& request,
                         const std::function<void(std::size_t done, std::size_t total)>& progress) {
  Hardware ideal, digital;
  for (const LayerHardware& layer : request.hardware) {
    ideal.push_back(ideal_hardware(layer));
    digital.emplace_back().analog = false;
  }
  BudgetRuns runs(engine, request);
  const std::size_t point = runs.want(request.hardware), floating = runs.want(digital), nothing = runs.want(ideal);
  const auto rows = plan_rows(request.hardware, runs);
  std::vector<PlannedRow> layers;
  if (request.layers && !rows.empty()) layers = plan_layer_rows(request.hardware, ideal, layer_names, runs);
  runs.run(progress);

  const MatrixD &reference = runs[floating].top1, &top1 = runs[point].top1;
  MatrixD rest = reference - top1;
  ErrorBudget budget;
  budget.images = request.count, budget.trials = request.trials;
  budget.floating = runs[floating].score(), budget.ideal = runs[nothing].score(), budget.point = runs[point].score();
  budget.drop = paired_estimate(rest);
  for (const PlannedRow& row : rows) rest -= reference - runs[row.alone].top1;
  budget.interaction = paired_estimate(rest);
  budget.rows = finish_rows(rows, runs, reference, top1);
  budget.layers = finish_rows(layers, runs, reference, top1);
  return budget;
}

}  // namespace crossgrid
