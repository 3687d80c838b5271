#include "crossgrid/core/reference_mvm.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "crossgrid/base/normal.hpp"
#include "crossgrid/base/random_stream.hpp"
#include "crossgrid/base/uniform.hpp"
#include "crossgrid/core/partition.hpp"

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

bool is_uniform(const ErrorConfig& error) {
  return error.model == ErrorModel::uniform_independent || error.model == ErrorModel::uniform_proportional ||
         error.model == ErrorModel::uniform_inverse;
}

/// Standard deviation of a normal error, full width of a uniform one.
double spread_of(const ErrorConfig& error, double g) {
  switch (error.model) {
    case ErrorModel::none:
      return 0;
    case ErrorModel::normal_independent:
    case ErrorModel::uniform_independent:
      return error.magnitude;
    case ErrorModel::normal_proportional:
    case ErrorModel::uniform_proportional:
      return error.magnitude * g;
    case ErrorModel::normal_inverse:
    case ErrorModel::uniform_inverse:
      return g > 0 ? error.magnitude / g : 0;
  }
  return 0;
}

/// A cell's conductance with draw `index` of its error, before any limit.
double with_error(const ErrorConfig& error, double g, const DrawSequence& draws, std::uint64_t index) {
  if (is_uniform(error)) return g + spread_of(error, g) * uniform_draw(draws, index) / std::sqrt(12.0);
  return g + spread_of(error, g) * normal_draw(draws, index);
}

double normal_cdf(double x) {
  return 0.5 * std::erfc(-x / std::sqrt(2.0));
}
double density(double x) {
  return std::isinf(x) ? 0 : std::exp(-x * x / 2) / std::sqrt(2 * std::acos(-1.0));
}

/// One layer's chip, seen one cell at a time.
class ReferenceChip {
 public:
  ReferenceChip(const Matrix& weights, const LayerHardware& hardware, const ReferenceMvm& mvm)
      : weights_(weights), hardware_(hardware), mvm_(mvm), limit_(plain_limit(weights, hardware.core.clip)) {
    const DeviceConfig& device = hardware.device;
    g_min_ = 1 / device.on_off_ratio;
    low_ = device.clip ? g_min_ : 0;
    high_ = device.clip ? 1 : std::numeric_limits<double>::infinity();
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

  /// Programmed conductance of a cell; plane 1 holds the negative weights.
  double programmed(int plane, int i, int j) const {
    double w = std::clamp(static_cast<double>(weights_(j, i)) / limit_, -1.0, 1.0);
    if (hardware_.core.weight_bits) {
      const double steps = std::ldexp(1.0, *hardware_.core.weight_bits - 1) - 1;
      w = std::nearbyint(w * steps) / steps;
    }
    const double side = plane == 0 ? w : -w;
    double g = base_ + range_ * (offset() || hardware_.core.two_sided ? (1 + side) / 2 : std::max(side, 0.0));
    if (level_steps_ > 0) g = round_to(g, g_min_, 1, level_steps_);
    const ErrorConfig& error = hardware_.device.programming_error;
    if (error.active()) {
      g = std::clamp(with_error(error, g, {key(DrawPurpose::programming_error, plane), 0, 0}, cell(i, j)), low_, high_);
    }
    const double u = 0.5 + uniform_draw({key(DrawPurpose::cell_fault, plane), 0, 0}, cell(i, j)) / std::sqrt(12.0);
    const FaultConfig& faults = hardware_.device.faults;
    if (faults.stuck_off > 0 && u < faults.stuck_off) return g_min_;
    if (faults.stuck_on > 0 && u >= 1 - faults.stuck_on) return 1;
    return g;
  }

  /// The cell's conductance in this MVM, drawn for itself.
  double read(int plane, int i, int j) const {
    const double g = programmed(plane, i, j);
    const std::uint64_t cells = static_cast<std::uint64_t>(inputs()) * static_cast<std::uint64_t>(outputs());
    const DrawSequence draws{key(DrawPurpose::cell_read_noise, plane), mvm_.image, 0};
    return std::clamp(with_error(hardware_.device.read_noise, g, draws, mvm_.window * cells + cell(i, j)), low_, high_);
  }

  struct Moments {
    double mean, variance, clips;
  };
  /// Of the cell's conductance under clipped read noise.
  Moments moments(int plane, int i, int j) const {
    const double g = programmed(plane, i, j);
    const double s = spread_of(hardware_.device.read_noise, g);
    if (s == 0) return {g, 0, 0};
    if (is_uniform(hardware_.device.read_noise)) return uniform_moments(g - s / 2, g + s / 2);
    const double a = (low_ - g) / s, b = (high_ - g) / s;
    const double below = normal_cdf(a), above = normal_cdf(-b), inside = normal_cdf(b) - below;
    const bool open = std::isinf(b);
    const double mean = low_ * below + (open ? 0 : high_ * above) + g * inside + s * (density(a) - density(b));
    // E[(X - mean)^2] piece by piece.
    const double d = g - mean;
    const double between = (d * d + s * s) * inside + 2 * d * s * (density(a) - density(b)) +
                           s * s * (a * density(a) - (open ? 0 : b * density(b)));
    const double variance =
        (low_ - mean) * (low_ - mean) * below + (open ? 0 : (high_ - mean) * (high_ - mean) * above) + between;
    return {mean, variance, below + above};
  }

  /// Of a variable that is uniform between a and b before it is limited: integrals of x and x^2 piece by piece.
  Moments uniform_moments(double a, double b) const {
    const double under = std::max(std::min(b, low_) - a, 0.0), over = std::max(b - std::max(a, high_), 0.0);
    const double from = std::max(a, low_), to = std::max(std::min(b, high_), from);
    const double top = over > 0 ? high_ : 0;
    const double first = low_ * under + top * over + (to * to - from * from) / 2;
    const double second = low_ * low_ * under + top * top * over + (to * to * to - from * from * from) / 3;
    const double mean = first / (b - a);
    return {mean, second / (b - a) - mean * mean, (under + over) / (b - a)};
  }

  bool per_cell(int smallest_rows) const {
    const NoiseSampling sampling = hardware_.device.read_noise_sampling;
    if (sampling != NoiseSampling::automatic) return sampling == NoiseSampling::per_cell;
    if (smallest_rows >= 64) return false;
    if (is_uniform(hardware_.device.read_noise)) return true;
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
    return normal_draw({key(DrawPurpose::lumped_read_noise, block), mvm_.image, 0}, index);
  }

 private:
  PhiloxKey key(DrawPurpose purpose, int array) const {
    return stream_key(mvm_.seed, mvm_.trial, purpose, mvm_.layer, static_cast<std::uint32_t>(array));
  }
  std::uint64_t cell(int i, int j) const {
    return static_cast<std::uint64_t>(i) * static_cast<std::uint64_t>(outputs()) + static_cast<std::uint64_t>(j);
  }

  const Matrix& weights_;
  const LayerHardware& hardware_;
  const ReferenceMvm& mvm_;
  double limit_;
  double g_min_ = 0, low_ = 0, high_ = 0, level_steps_ = 0, range_ = 1, base_ = 0;
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
    for (int j = 0; j < chip.outputs(); ++j) {
      currents(block, j) = current_of(chip, x, parts[static_cast<std::size_t>(block)], block, j, noisy, per_cell);
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
