#include "crossgrid/core/reference_mvm.hpp"

#include <algorithm>
#include <cmath>

#include "crossgrid/base/normal.hpp"
#include "crossgrid/core/partition.hpp"
#include "crossgrid/core/reference_cell.hpp"

namespace crossgrid {
namespace {

double round_to(double value, double low, double high, double steps) {
  if (!(high > low) || steps == 0) return steps == 0 ? 0 : low;
  const double step = (high - low) / steps;
  return low + std::nearbyint((std::clamp(value, low, high) - low) / step) * step;
}

double sign_magnitude(double value, double limit, int bits) {
  const double steps = std::ldexp(1.0, bits - 1) - 1;
  if (!(limit > 0) || steps == 0) return 0;
  return std::nearbyint(std::clamp(value, -limit, limit) * steps / limit) * limit / steps;
}

double nearest_level(double g, const std::vector<double>& levels) {
  return *std::min_element(levels.begin(), levels.end(),
                           [&](double a, double b) { return std::abs(a - g) < std::abs(b - g); });
}

/// Sorts everything: nothing clever.
double plain_limit(const Matrix& weights, const WeightClip& clip) {
  std::vector<double> sorted(weights.data(), weights.data() + weights.size());
  std::sort(sorted.begin(), sorted.end());
  const auto quantile = [&](double p) {
    const double place = p * static_cast<double>(sorted.size() - 1);
    const auto k = static_cast<std::size_t>(place);
    const double next = sorted[std::min(k + 1, sorted.size() - 1)];
    return sorted[k] + (place - static_cast<double>(k)) * (next - sorted[k]);
  };
  double limit = clip.value;
  if (clip.rule == WeightClip::Rule::factor) limit *= std::max(std::abs(sorted.front()), std::abs(sorted.back()));
  if (clip.rule == WeightClip::Rule::quantile) {
    limit = std::max(std::abs(quantile(clip.value)), std::abs(quantile(1 - clip.value)));
  }
  return limit > 0 ? limit : 1;
}

/// One layer's chip, seen one cell at a time.
class ReferenceChip {
 public:
  ReferenceChip(const Matrix& weights, const LayerHardware& hardware, const ReferenceMvm& mvm)
      : weights_(weights),
        hardware_(hardware),
        mvm_(mvm),
        cell_(hardware.device, static_cast<int>(weights.rows())),
        streams_{mvm.seed, mvm.trial, mvm.layer},
        limit_(plain_limit(weights, hardware.core.clip)) {
    const DeviceConfig& device = hardware.device;
    g_min_ = 1 / device.on_off_ratio;
    if (device.cell_bits) level_steps_ = std::ldexp(1.0, *device.cell_bits) - 1;
    range_ = 1 - g_min_;
    if (offset() && level_steps_ > 0) range_ *= (level_steps_ - 1) / level_steps_;
    base_ = 1 - range_;
  }

  bool offset() const { return hardware_.core.style == CoreStyle::offset; }
  int planes() const { return offset() ? 1 : 2; }
  int inputs() const { return static_cast<int>(weights_.cols()); }
  int outputs() const { return static_cast<int>(weights_.rows()); }
  double limit() const { return limit_; }
  double base() const { return base_; }
  double range() const { return range_; }

  /// Target conductance of a cell; plane 1 holds the negative weights.
  double target(int plane, int i, int j) const {
    double w = std::clamp(static_cast<double>(weights_(j, i)) / limit_, -1.0, 1.0);
    if (hardware_.core.weight_bits) {
      const double steps = std::ldexp(1.0, *hardware_.core.weight_bits - 1) - 1;
      w = std::nearbyint(w * steps) / steps;
    }
    const double side = plane == 0 ? w : -w;
    double g = base_ + range_ * (offset() || hardware_.core.two_sided ? (1 + side) / 2 : std::max(side, 0.0));
    if (level_steps_ > 0) g = round_to(g, g_min_, 1, level_steps_);
    return hardware_.device.levels.empty() ? g : nearest_level(g, hardware_.device.levels);
  }
  ReferenceCell::Cell programmed(int plane, int i, int j) const {
    return cell_.programmed(target(plane, i, j), streams_, plane, cell(i, j));
  }

  /// Against drift: what an array of these rows and columns conducted without errors over what it conducts.
  double gain(const Part& rows, const Part& cols) const {
    const DeviceConfig& device = hardware_.device;
    if (device.compensation == DriftCompensation::none || !device.drifts()) return 1;
    double before = 0, now = 0;
    for (int plane = 0; plane < planes(); ++plane) {
      for (int i = rows.first; i < rows.first + rows.count; ++i) {
        for (int j = cols.first; j < cols.first + cols.count; ++j) {
          before += cell_.nominal(target(plane, i, j), streams_, plane, cell(i, j));
          now += programmed(plane, i, j);
        }
      }
    }
    return now > 0 ? before / now : 1;
  }

  /// The cell's conductance in this MVM, drawn for itself.
  double read(int plane, int i, int j) const {
    const std::uint64_t cells = static_cast<std::uint64_t>(inputs()) * static_cast<std::uint64_t>(outputs());
    const DrawSequence draws{streams_.key(DrawPurpose::cell_read_noise, plane), mvm_.image, 0};
    return cell_.read(programmed(plane, i, j), draws, mvm_.window * cells + cell(i, j));
  }

  /// Of the cell's conductance under clipped read noise.
  ReferenceCell::Moments moments(int plane, int i, int j) const { return cell_.moments(programmed(plane, i, j)); }

  bool per_cell(int smallest_rows) const {
    const NoiseSampling sampling = hardware_.device.read_noise_sampling;
    if (sampling != NoiseSampling::automatic) return sampling == NoiseSampling::per_cell;
    if (smallest_rows >= 64) return false;
    if (hardware_.device.read_noise.law() == DrawLaw::uniform) return true;
    for (int plane = 0; plane < planes(); ++plane) {
      for (int i = 0; i < inputs(); ++i) {
        for (int j = 0; j < outputs(); ++j) {
          if (moments(plane, i, j).clips >= 1e-12) return true;
        }
      }
    }
    return false;
  }

  /// The normal of a lumped output of row block `block`.
  double lumped_draw(int block, int j) const {
    const std::uint64_t index =
        std::uint64_t{mvm_.window} * static_cast<std::uint64_t>(outputs()) + static_cast<std::uint64_t>(j);
    return normal_draw({streams_.key(DrawPurpose::lumped_read_noise, block), mvm_.image, 0}, index);
  }

 private:
  std::uint64_t cell(int i, int j) const {
    return static_cast<std::uint64_t>(i) * static_cast<std::uint64_t>(outputs()) + static_cast<std::uint64_t>(j);
  }

  const Matrix& weights_;
  const LayerHardware& hardware_;
  const ReferenceMvm& mvm_;
  ReferenceCell cell_;
  LayerStreams streams_;
  double limit_;
  double g_min_ = 0, level_steps_ = 0, range_ = 1, base_ = 0;
};

struct ScaledInputs {
  std::vector<double> values;  ///< after the DAC
  double unit = 1;
  bool is_signed = false;
};

ScaledInputs scaled_inputs(const DacConfig& dac, const Interval& range, std::span<const double> x) {
  ScaledInputs inputs;
  inputs.is_signed = dac.sign == DacSign::is_signed || (dac.sign == DacSign::automatic && range.low < 0);
  inputs.unit = inputs.is_signed ? (range.high - range.low) / 2 : range.high - range.low;
  if (!(inputs.unit > 0)) inputs.unit = 1;
  const double low = inputs.is_signed ? range.low : std::max(range.low, 0.0);
  for (double value : x) {
    switch (dac.model) {
      case ConverterModel::ideal:
        break;
      case ConverterModel::quantizer:
        value = round_to(value, low, range.high, std::ldexp(1.0, dac.bits) - 1);
        break;
      case ConverterModel::sign_magnitude:
        value = sign_magnitude(value, inputs.unit, dac.bits);
        break;
    }
    inputs.values.push_back(value / inputs.unit);
  }
  return inputs;
}

double after_adc(const AdcConfig& adc, double current, Interval range) {
  switch (adc.model) {
    case ConverterModel::ideal:
      return current;
    case ConverterModel::quantizer:
      return round_to(current, range.low, range.high, std::ldexp(1.0, adc.bits) - 1);
    case ConverterModel::sign_magnitude:
      return sign_magnitude(current, std::max(std::abs(range.low), std::abs(range.high)), adc.bits);
  }
  return current;
}

double current_of(const ReferenceChip& chip, const std::vector<double>& x, const Part& rows, int block, int j,
                  bool noisy, bool per_cell) {
  double current = 0, variance = 0;
  for (int plane = 0; plane < chip.planes(); ++plane) {
    const double sign = plane == 0 ? 1 : -1;
    for (int i = rows.first; i < rows.first + rows.count; ++i) {
      const double input = x[static_cast<std::size_t>(i)];
      if (!noisy) {
        current += sign * input * chip.programmed(plane, i, j);
      } else if (per_cell) {
        current += sign * input * chip.read(plane, i, j);
      } else {
        const auto cell = chip.moments(plane, i, j);
        current += sign * input * cell.mean;
        variance += input * input * cell.variance;
      }
    }
  }
  return noisy && !per_cell ? current + std::sqrt(variance) * chip.lumped_draw(block, j) : current;
}

MatrixD currents_of(const ReferenceChip& chip, const LayerHardware& hardware, const std::vector<double>& x,
                    const std::vector<Part>& parts) {
  const int smallest = std::ranges::min(parts, {}, &Part::count).count;
  const bool noisy = hardware.device.read_noise.active();
  const bool per_cell = noisy && chip.per_cell(smallest);
  MatrixD currents(static_cast<Eigen::Index>(parts.size()), chip.outputs());
  for (int block = 0; block < static_cast<int>(parts.size()); ++block) {
    const Part& rows = parts[static_cast<std::size_t>(block)];
    for (const Part& cols : partition(chip.outputs(), hardware.array.cols_max, hardware.array.cols_partition)) {
      const double gain = chip.gain(rows, cols);
      for (int j = cols.first; j < cols.first + cols.count; ++j) {
        currents(block, j) = gain * current_of(chip, x, rows, block, j, noisy, per_cell);
      }
    }
  }
  return currents;
}

}  // namespace

MatrixD reference_currents(const Matrix& weights, const LayerHardware& hardware, std::span<const double> x,
                           const ReferenceMvm& mvm) {
  const ReferenceChip chip(weights, hardware, mvm);
  const ScaledInputs inputs = scaled_inputs(hardware.dac, mvm.input_range, x);
  return currents_of(chip, hardware, inputs.values,
                     partition(chip.inputs(), hardware.array.rows_max, hardware.array.rows_partition));
}

std::vector<double> reference_mvm(const Matrix& weights, const LayerHardware& hardware, std::span<const double> x,
                                  const ReferenceMvm& mvm) {
  const ReferenceChip chip(weights, hardware, mvm);
  const ScaledInputs inputs = scaled_inputs(hardware.dac, mvm.input_range, x);
  const auto parts = partition(chip.inputs(), hardware.array.rows_max, hardware.array.rows_partition);
  const MatrixD currents = currents_of(chip, hardware, inputs.values, parts);

  double input_sum = 0;
  for (double v : inputs.values) input_sum += v;
  std::vector<double> outputs;
  for (int j = 0; j < chip.outputs(); ++j) {
    double sum = 0;
    for (std::size_t block = 0; block < parts.size(); ++block) {
      const double n = parts[block].count;
      const Interval widest{!chip.offset() || inputs.is_signed ? -n : 0, n};
      const Interval fixed = hardware.adc.range == RangeRule::fixed ? hardware.adc.fixed_range : widest;
      const bool calibrated = hardware.adc.range == RangeRule::calibrated && mvm.adc_range.has_value();
      sum +=
          after_adc(hardware.adc, currents(static_cast<Eigen::Index>(block), j), calibrated ? *mvm.adc_range : fixed);
    }
    const double gain = inputs.unit * chip.limit() / chip.range();
    outputs.push_back(chip.offset() ? 2 * gain * (sum - (chip.base() + chip.range() / 2) * input_sum) : gain * sum);
  }
  return outputs;
}

}  // namespace crossgrid
