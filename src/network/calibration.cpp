#include "crossgrid/network/calibration.hpp"

#include <algorithm>
#include <cmath>

#include "crossgrid/base/error.hpp"
#include "crossgrid/core/weight_mapping.hpp"
#include "crossgrid/network/level_fit.hpp"
#include "program_in_parallel.hpp"

namespace crossgrid {

/// Currents of one layer's nominal arrays, with all that decides them, and the ranges found so far.
struct Calibration::CurrentProfile {
  std::size_t matrix = 0;
  LayerHardware hardware;  ///< converters' and errors' parts that don't matter here at their defaults
  Interval dac_range;
  AdcPlace place;                                       ///< of the largest row block
  std::vector<FloatHistogram> values;                   ///< by weight slice
  std::vector<std::pair<AdcConfig, LayerRanges>> fits;  ///< of the ADCs

  bool same_key(const CurrentProfile& other) const {
    return matrix == other.matrix && hardware == other.hardware && dac_range == other.dac_range;
  }
};

CalibrationNeeds calibration_needs(const LayerHardware& hardware) {
  if (!hardware.analog) return {};
  const DacConfig& dac = hardware.dac;
  const AdcConfig& adc = hardware.adc;
  CalibrationNeeds needs;
  if (dac.range == RangeRule::per_vector) {
    needs.dac = dac.sign == DacSign::automatic;  // only whether inputs are signed
  } else {
    const bool converts = dac.model != ConverterModel::ideal || adc.model != ConverterModel::ideal;
    needs.dac = dac.range == RangeRule::calibrated && converts;
  }
  needs.adc = adc.model != ConverterModel::ideal && adc.range == RangeRule::calibrated;
  needs.levels = adc.model == ConverterModel::levels && adc.levels.lloyd_max;
  return needs;
}

namespace {

bool needs_any(const LayerHardware& hardware) {
  const CalibrationNeeds needs = calibration_needs(hardware);
  return needs.dac || needs.adc || needs.levels;
}

bool needs_currents(const LayerHardware& hardware) {
  const CalibrationNeeds needs = calibration_needs(hardware);
  return needs.adc || needs.levels;
}

/// Of a DAC that nothing calibrates.
Interval own_dac_range(const DacConfig& dac) {
  if (dac.range == RangeRule::fixed) return dac.fixed_range;
  return {dac.sign == DacSign::is_signed ? -1.0 : 0.0, 1.0};
}

/// What of a layer's hardware its nominal currents depend on.
LayerHardware nominal_part(const LayerHardware& whole) {
  LayerHardware hardware = whole.nominal();
  AdcConfig adc;
  adc.model = ConverterModel::quantizer;  // row blocks stay apart, offsets stay in
  adc.per_input_slice = hardware.adc.per_input_slice;
  hardware.adc = adc;
  if (hardware.dac.range == RangeRule::calibrated) hardware.dac.range = RangeRule::fixed;
  hardware.dac.fixed_range = {};
  hardware.precision = Precision::float32;
  return hardware;
}

/// Ranges from elsewhere, of what calibration would find. Error(bad_input) where they are not for this many slices.
std::vector<LayerRanges> taken_ranges(std::span<const LayerHardware> hardware, std::span<const LayerRanges> all) {
  std::vector<LayerRanges> ranges(hardware.size());
  for (std::size_t m = 0; m < hardware.size(); ++m) {
    const CalibrationNeeds needs = calibration_needs(hardware[m]);
    const LayerRanges& given = all[m];
    const auto slices = static_cast<std::size_t>(hardware[m].core.slices);
    const auto fits = [&](std::size_t count) { return count == 1 || count == slices; };
    if ((needs.adc && !fits(given.adc.size())) || (needs.levels && given.levels.size() != slices)) {
      throw Error(ExitCode::bad_input, "the given ranges of matrix layer " + std::to_string(m) + " are not for its " +
                                           std::to_string(slices) + " weight slices");
    }
    ranges[m].dac = needs.dac ? given.dac : own_dac_range(hardware[m].dac);
    if (needs.adc) ranges[m].adc = given.adc;
    if (needs.levels) ranges[m].levels = given.levels;
  }
  return ranges;
}

/// What of a layer's hardware its ranges depend on.
LayerHardware calibrated_part(const LayerHardware& whole) {
  LayerHardware hardware = whole.nominal();
  hardware.precision = Precision::float32;
  return hardware;
}

/// An ideal DAC only scales: its limits are the largest value, whatever the method.
RangeRequest range_request(const CalibrationPlan& plan, ConverterModel model) {
  return {model == ConverterModel::ideal ? RangeFit::maximum : plan.fit, plan.percentile};
}

}  // namespace

Calibration::Calibration(const Network& network, const NetworkExecution& reference, CalibrationPlan plan,
                         int micro_batch, Executor& executor, std::vector<Lane>& lanes)
    : network_(network),
      reference_(reference),
      plan_(std::move(plan)),
      micro_batch_(micro_batch),
      executor_(executor),
      lanes_(lanes) {
  for (const MatrixLayer& layer : matrix_layers(network)) layers_.push_back(layer.layer);
}

Calibration::~Calibration() = default;

void Calibration::over_images(const std::function<void(const MicroBatch&, int)>& body) {
  if (!plan_.data || plan_.count == 0) {
    throw Error(ExitCode::bad_input, "a calibrated converter range needs calibration images, but there are none");
  }
  const auto size = static_cast<std::uint64_t>(micro_batch_);
  const std::uint64_t first = plan_.first / size, end = (plan_.first + plan_.count + size - 1) / size;
  executor_.run(end - first, [&](std::size_t index, int lane) {
    MicroBatch batch;
    batch.first = (first + index) * size;
    batch.size = micro_batch_;
    batch.begin = static_cast<int>(std::max(plan_.first, batch.first) - batch.first);
    batch.end = static_cast<int>(std::min(plan_.first + plan_.count, batch.first + size) - batch.first);
    body(batch, lane);
  });
}

void Calibration::profile_inputs() {
  std::vector<std::vector<FloatHistogram>> by_lane(lanes_.size(), std::vector<FloatHistogram>(layers_.size()));
  over_images([&](const MicroBatch& batch, int lane) {
    auto& histograms = by_lane[static_cast<std::size_t>(lane)];
    NetworkExecution::Observer observer;
    observer.inputs = [&](int matrix, const float* inputs) {
      const std::size_t image = reference_.matrices()[static_cast<std::size_t>(matrix)].matrix->inputs_per_image();
      histograms[static_cast<std::size_t>(matrix)].add(inputs + static_cast<std::size_t>(batch.begin) * image,
                                                       static_cast<std::size_t>(batch.end - batch.begin) * image);
    };
    reference_.run(*plan_.data, batch, lanes_[static_cast<std::size_t>(lane)], 0, observer);
  });
  inputs_.resize(layers_.size());
  input_fits_.resize(layers_.size());
  for (const auto& histograms : by_lane) {
    for (std::size_t m = 0; m < layers_.size(); ++m) inputs_[m] += histograms[m];
  }
}

Interval Calibration::dac_range(std::size_t matrix, const LayerHardware& hardware) {
  if (!calibration_needs(hardware).dac) return own_dac_range(hardware.dac);
  if (inputs_.empty()) profile_inputs();
  for (const auto& [dac, range] : input_fits_[matrix]) {
    if (dac == hardware.dac) return range;
  }
  const Interval range = fit_dac_range(inputs_[matrix], hardware.dac, range_request(plan_, hardware.dac.model));
  input_fits_[matrix].emplace_back(hardware.dac, range);
  return range;
}

Calibration::CurrentProfile* Calibration::find(const CurrentProfile& key) {
  const auto found = std::ranges::find_if(currents_, [&](const auto& profile) { return profile.same_key(key); });
  return found == currents_.end() ? nullptr : &*found;
}

void Calibration::profile_currents(std::span<CurrentProfile> wanted) {
  std::vector<MatrixStep> nominal(wanted.size());
  const auto has_wires = [&](std::size_t k) { return wanted[k].hardware.array.wires.any(); };
  program_in_parallel(executor_, wanted.size(), has_wires, [&](std::size_t k, int lane, const ParallelLoop& loop) {
    const CurrentProfile& profile = wanted[k];
    const ConvolutionShape& geometry = reference_.matrices()[profile.matrix].matrix->geometry;  // digital: all groups
    const Layer& layer = network_.layers[static_cast<std::size_t>(layers_[profile.matrix])];
    const LayerHardware& hardware = profile.hardware;
    MatrixStep& step = nominal[k];
    step = driven_step(geometry, hardware, profile.dac_range);
    const ConvolutionShape driven = driven_geometry(step, geometry);
    step.inputs_apart = conversion_scheme(hardware, NoisePath::none).inputs;
    step.inputs_summed = step.inputs_apart && !hardware.adc.per_input_slice;
    step.matrix =
        prepare_analog(driven, nominal_matrix(matrix_weights(layer, hardware), arrayed_hardware(layer, hardware), loop),
                       plan_matrix(driven, hardware, NoisePath::none), lanes_[static_cast<std::size_t>(lane)]);
  });
  for (std::size_t k = 0; k < wanted.size(); ++k) {
    const PreparedMatrix& matrix = *nominal[k].matrix;
    wanted[k].place = adc_place(nominal[k], wanted[k].hardware, matrix.programmed.conductance_step);
    wanted[k].place.rows = std::ranges::max(matrix.plan.blocks, {}, &PlanBlock::rows).rows;
  }
  const auto empty = [&] {
    std::vector<std::vector<FloatHistogram>> histograms;
    for (const auto& profile : wanted) {
      histograms.emplace_back(static_cast<std::size_t>(profile.hardware.core.slices));
    }
    return histograms;
  };
  std::vector<std::vector<std::vector<FloatHistogram>>> by_lane(lanes_.size(), empty());
  over_images([&](const MicroBatch& batch, int index) {
    Lane& lane = lanes_[static_cast<std::size_t>(index)];
    NetworkExecution::Observer observer;
    observer.inputs = [&](int layer, const float* inputs) {
      for (std::size_t k = 0; k < wanted.size(); ++k) {
        if (wanted[k].matrix != static_cast<std::size_t>(layer)) continue;
        auto& histograms = by_lane[static_cast<std::size_t>(index)][k];
        const std::size_t count = nominal[k].matrix->currents_per_image();
        const ConvolutionShape& g = reference_.matrices()[wanted[k].matrix].matrix->geometry;
        observe_currents(nominal[k], inputs, {g.in_channels, g.height, g.width}, batch, lane,
                         [&](const ConversionView& view) {
                           for_each_image(view, batch, count, [&](int, const float* currents) {
                             FloatHistogram& seen = histograms[static_cast<std::size_t>(view.slice)];
                             seen.add(currents, count);
                             if (view.idle > 0) seen.add_zeros(count * static_cast<std::size_t>(view.idle));
                           });
                         });
      }
    };
    reference_.run(*plan_.data, batch, lane, 0, observer);
  });
  for (const auto& histograms : by_lane) {
    for (std::size_t k = 0; k < wanted.size(); ++k) {
      wanted[k].values.resize(histograms[k].size());
      for (std::size_t slice = 0; slice < histograms[k].size(); ++slice) {
        wanted[k].values[slice] += histograms[k][slice];
      }
    }
  }
}

void Calibration::fit(const CurrentProfile& profile, const LayerHardware& hardware, LayerRanges& ranges) const {
  const AdcConfig& adc = hardware.adc;
  if (adc.range == RangeRule::calibrated && plan_.fit == RangeFit::signal_to_noise) {
    std::vector<double> weights(static_cast<std::size_t>(hardware.core.slices), 1.0);  // of the slices in the output
    for (int slice = 1; slice < hardware.core.slices; ++slice) {
      weights[static_cast<std::size_t>(slice)] = std::ldexp(1.0, slice * bits_per_slice(hardware.core));
    }
    ranges.adc = fit_output_ranges(profile.values, weights, adc);
  } else if (adc.range == RangeRule::calibrated) {
    for (const FloatHistogram& values : profile.values) {
      ranges.adc.push_back(fit_adc_range(values, adc, range_request(plan_, adc.model)));
    }
    ranges.adc = with_power_ratios(ranges.adc);
  }
  if (adc.model != ConverterModel::levels || !adc.levels.lloyd_max) return;
  for (std::size_t slice = 0; slice < profile.values.size(); ++slice) {
    // Row blocks share levels: those of the largest block, where ranges follow from the rows.
    AdcPlace place = profile.place;
    place.slice = static_cast<int>(slice);
    ranges.levels.push_back(fit_lloyd_max(profile.values[slice], adc_range_at(hardware, ranges, place), 1 << adc.bits));
  }
}

std::vector<LayerRanges> Calibration::ranges(std::span<const LayerHardware> hardware) {
  if (!plan_.given.empty()) return taken_ranges(hardware, plan_.given);
  if (plan_.store && std::ranges::any_of(hardware, needs_any)) return stored_ranges(hardware);
  return calibrated_ranges(hardware);
}

std::vector<LayerRanges> Calibration::stored_ranges(std::span<const LayerHardware> hardware) {
  std::vector<LayerHardware> key(hardware.size());
  std::ranges::transform(hardware, key.begin(), calibrated_part);
  const auto known = std::ranges::find(stored_, key, &decltype(stored_)::value_type::first);
  if (known != stored_.end()) return known->second;
  std::vector<LayerRanges> ranges;
  if (const auto kept = plan_.store->find(key)) {
    ranges = taken_ranges(hardware, *kept);
  } else {
    ranges = calibrated_ranges(hardware);
    plan_.store->keep(key, ranges);
  }
  if (stored_.size() == points_kept) stored_.pop_front();
  stored_.emplace_back(std::move(key), ranges);
  return ranges;
}

std::vector<LayerRanges> Calibration::calibrated_ranges(std::span<const LayerHardware> hardware) {
  std::vector<LayerRanges> ranges(hardware.size());
  std::vector<CurrentProfile> keys(hardware.size()), missing;
  for (std::size_t m = 0; m < hardware.size(); ++m) {
    ranges[m].dac = dac_range(m, hardware[m]);
    if (!needs_currents(hardware[m])) continue;
    keys[m].matrix = m, keys[m].hardware = nominal_part(hardware[m]), keys[m].dac_range = ranges[m].dac;
    if (find(keys[m]) == nullptr) missing.push_back(keys[m]);
  }
  if (!missing.empty()) {
    profile_currents(missing);
    const std::size_t kept = std::max(profiles_kept, hardware.size());
    const std::size_t total = currents_.size() + missing.size();
    if (total > kept) {
      const auto surplus = static_cast<std::ptrdiff_t>(std::min(total - kept, currents_.size()));
      currents_.erase(currents_.begin(), currents_.begin() + surplus);
    }
    std::ranges::move(missing, std::back_inserter(currents_));
  }
  executor_.run(hardware.size(), [&](std::size_t m, int) {
    if (!needs_currents(hardware[m])) return;
    CurrentProfile& profile = *find(keys[m]);
    const AdcConfig& adc = hardware[m].adc;
    const auto known = std::ranges::find(profile.fits, adc, &std::pair<AdcConfig, LayerRanges>::first);
    if (known != profile.fits.end()) {
      ranges[m].adc = known->second.adc, ranges[m].levels = known->second.levels;
    } else {
      fit(profile, hardware[m], ranges[m]);
      profile.fits.emplace_back(adc, ranges[m]);
    }
  });
  return ranges;
}

}  // namespace crossgrid
