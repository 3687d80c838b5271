#include "crossgrid/core/reference_adc.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "crossgrid/base/uniform.hpp"
#include "crossgrid/circuit/adc_mismatch.hpp"

namespace crossgrid {
namespace {

/// One converter of 2^B levels, in volts as the equations are written (a volt is a cell current).
class ReferenceCircuit {
 public:
  ReferenceCircuit(const AdcConfig& config, Interval range, PhiloxKey mismatch, int column)
      : config_(config),
        mismatch_(mismatch),
        column_(column),
        group_(config.model == ConverterModel::ramp ? 0 : column / config.group),
        bits_(config.bits),
        codes_(1 << config.bits),
        vref_(std::max(std::abs(range.low), std::abs(range.high))),
        gain_(std::pow(10.0, config.errors.gain_db / 20)) {
    for (int slot = 0; slot <= static_cast<int>(CapacitorSlot::dummy); ++slot) {
      capacitor_draws_.push_back(capacitor_draw(mismatch, group_, slot));
    }
  }

  double output(int code) const { return vref_ * (2 * code + 1 - codes_) / codes_; }

  int ramp(double v) const {
    const double input = v + config_.errors.sigma_comparator * comparator_draw(mismatch_, column_, 0) * vref_;
    int best = 0;
    for (int code = 1; code < codes_; ++code) {
      if (std::abs(input - ramp_level(code)) < std::abs(input - ramp_level(best))) best = code;
    }
    return best;
  }

  int sar(double v) const {
    const double input = v + config_.errors.sigma_comparator * comparator_draw(mismatch_, group_, 0) * vref_;
    int code = 0;
    for (int bit = bits_ - 1; bit >= 0; --bit) {
      const int trial = code + (1 << bit);
      const double level = config_.split ? split_level(trial) : symmetric_level(trial);
      if (input > level - vref_ / codes_) code = trial;
    }
    return code;
  }

  int pipeline(double v, bool cyclic) const {
    int code = 0;  // by its digits: the code is where the sum of all, as a number of 2^B levels, lies
    for (int stage = 0; stage < bits_ - 1; ++stage) {
      const int own = cyclic ? 0 : stage;
      const int d = v + comparator(2 * own) > vref_ / 4 ? -1 : v + comparator(2 * own + 1) < -vref_ / 4 ? 1 : 0;
      const double c1 = 1 + config_.errors.sigma_c1 * stage_draw(mismatch_, group_, own, StagePart::c1);
      const double c2 = 1 + config_.errors.sigma_c2 * stage_draw(mismatch_, group_, own, StagePart::c2);
      const double cpar = config_.errors.sigma_cpar * stage_draw(mismatch_, group_, own, StagePart::parasitic);
      const double gamma = c2 / c1, beta = c1 / (c1 + c2 + cpar);
      v = ((1 + gamma) * v + d * vref_ * gamma) / (1 + 1 / (gain_ * beta));
      code -= d * (1 << (bits_ - 2 - stage));
    }
    const int last = cyclic ? 2 : 2 * bits_ - 2;
    return code + codes_ / 2 - (v + comparator(last) > 0 ? 0 : 1);
  }

 private:
  double comparator(int which) const {
    return config_.errors.sigma_comparator * comparator_draw(mismatch_, group_, which) * vref_;
  }

  template <class Slot>
  double capacitor(double nominal, Slot slot) const {
    return nominal +
           config_.errors.sigma_capacitor * capacitor_draws_[static_cast<std::size_t>(slot)] * std::sqrt(nominal);
  }

  /// T_k: the capacitors at the bits of a number.
  double sum(int number) const {
    double total = 0;
    for (int n = 0; n < bits_; ++n) {
      if (number & 1 << n) total += capacitor(std::ldexp(1.0, n), n);
    }
    return total;
  }

  double symmetric_level(int code) const {
    const double t = sum(std::abs(code - codes_ / 2));
    const double feedback = capacitor(codes_ / 2.0, CapacitorSlot::feedback);
    const double beta = feedback / (feedback + t);
    const double size = t / capacitor(codes_ / 2.0, bits_ - 1) * vref_;
    return ((code < codes_ / 2 ? -size : size) + vref_ / codes_) / (1 + 1 / (gain_ * beta));
  }

  double unsigned_level(int code) const {
    const double t = sum(code), all = capacitor(codes_, CapacitorSlot::feedback);
    const double beta = all / (all + t);
    return (2 * vref_ * t / all - vref_ * (codes_ - 1) / codes_) / (1 + 1 / (gain_ * beta));
  }

  double ramp_level(int code) const { return config_.symmetric ? symmetric_level(code) : unsigned_level(code); }

  double split_level(int code) const {
    if (code == 0) return -vref_;
    const int half = bits_ / 2, number = std::abs(code - codes_ / 2);
    double dummy_and_low = capacitor(1, CapacitorSlot::dummy), all_high = 0, low = 0, high = 0;
    for (int n = 0; n < bits_ - 1; ++n) {
      const double c = capacitor(std::ldexp(1.0, n < half ? n : n - half), n);
      (n < half ? dummy_and_low : all_high) += c;
      if (number & 1 << n) (n < half ? low : high) += c;
    }
    if (half == 0) return vref_ / codes_ / (1 + 1 / gain_);  // one bit: its sign
    const double bridge = capacitor(std::ldexp(1.0, half) / (std::ldexp(1.0, half) - 1), CapacitorSlot::bridge);
    const double fraction = (low * bridge + high * (dummy_and_low + bridge)) /
                            ((dummy_and_low + bridge) * (all_high + bridge) - bridge * bridge);
    return ((code < codes_ / 2 ? -fraction : fraction) * vref_ + vref_ / codes_) / (1 + 1 / gain_);
  }

  const AdcConfig& config_;
  PhiloxKey mismatch_;
  int column_, group_, bits_, codes_;
  double vref_, gain_;
  std::vector<double> capacitor_draws_;
};

int code_of(const AdcConfig& config, const ReferenceCircuit& circuit, double v) {
  switch (config.model) {
    case ConverterModel::ramp:
      return circuit.ramp(v);
    case ConverterModel::sar:
      return circuit.sar(v);
    default:
      return circuit.pipeline(v, config.model == ConverterModel::cyclic);
  }
}

double nearest_level(const AdcLevels& config, double current, Interval range) {
  const auto place = [&](double fraction) { return range.low + fraction * (range.high - range.low); };
  std::size_t best = 0;
  for (std::size_t k = 1; k < config.levels.size(); ++k) {
    const double threshold = config.thresholds.empty() ? (place(config.levels[k - 1]) + place(config.levels[k])) / 2
                                                       : place(config.thresholds[k - 1]);
    if (current > threshold || (current == threshold && k % 2 == 0)) best = k;
  }
  return place(config.levels[best]);
}

/// Linear interpolation, constant beyond the ends.
double interpolated(const std::vector<double>& at, const std::vector<double>& of, double x) {
  if (x <= at.front()) return of.front();
  for (std::size_t k = 1; k < at.size(); ++k) {
    if (x <= at[k]) return of[k - 1] + (of[k] - of[k - 1]) * (x - at[k - 1]) / (at[k] - at[k - 1]);
  }
  return of.back();
}

double rounded_at_random(double value, double low, double high, double steps, double chance) {
  if (!(high > low) || steps == 0) return reference_round(value, low, high, steps);
  const double step = (high - low) / steps;
  const double exact = (std::clamp(value, low, high) - low) / step;
  return low + (std::floor(exact) + (exact - std::floor(exact) > chance ? 1 : 0)) * step;
}

}  // namespace

double reference_round(double value, double low, double high, double steps) {
  if (!(high > low) || steps == 0) return steps == 0 ? 0 : low;
  const double step = (high - low) / steps;
  return low + std::nearbyint((std::clamp(value, low, high) - low) / step) * step;
}

double reference_sign_magnitude(double value, double limit, int bits) {
  const double steps = std::ldexp(1.0, bits - 1) - 1;
  if (!(limit > 0) || steps == 0) return 0;
  return std::nearbyint(std::clamp(value, -limit, limit) * steps / limit) * limit / steps;
}

double reference_adc(const AdcConfig& config, double current, Interval range, const AdcStreams& streams,
                     int column_in_array, const ConversionPlace& place) {
  const DrawSequence draws{streams.draws, place.image, place.cycle};
  const std::uint64_t draw = first_draw(place, 0) + static_cast<std::uint64_t>(column_in_array);
  const double steps = std::ldexp(1.0, config.bits) - 1;
  const double limit = std::max(std::abs(range.low), std::abs(range.high));
  const bool random = config.rounding == Rounding::stochastic;
  // A standard uniform as a share of its width.
  const auto chance = [&] { return static_cast<double>(uniform_draw(draws, draw)) / std::sqrt(12.0) + 0.5; };
  switch (config.model) {
    case ConverterModel::ideal:
      return current;
    case ConverterModel::quantizer:
      return random ? rounded_at_random(current, range.low, range.high, steps, chance())
                    : reference_round(current, range.low, range.high, steps);
    case ConverterModel::sign_magnitude:
      return random ? rounded_at_random(current, -limit, limit, steps - 1, chance())
                    : reference_sign_magnitude(current, limit, config.bits);
    case ConverterModel::levels:
      return nearest_level(config.levels, current, range);
    case ConverterModel::table: {
      const double mean = interpolated(config.table.value, config.table.mean, current);
      const double sigma = interpolated(config.table.value, config.table.sigma, current);
      const double normal = sigma > 0 ? normal_draw(draws, draw) : 0;
      return reference_round(current + mean + sigma * normal, range.low, range.high, steps);
    }
    default: {
      const ReferenceCircuit circuit(config, range, streams.mismatch, column_in_array);
      return circuit.output(code_of(config, circuit, std::clamp(current, range.low, range.high)));
    }
  }
}

}  // namespace crossgrid
