#include "crossgrid/circuit/sar_adc.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "adc_banks.hpp"
#include "crossgrid/backend/launch.hpp"
#include "crossgrid/circuit/adc_mismatch.hpp"

namespace crossgrid {
namespace {

constexpr int lanes = 8;

/// What one converter needs besides its weights.
struct SarGroup {
  double gain_base, gain_slope, offset;
};

/// A converter after the other, its columns side by side.
CROSSGRID_HD_INLINE void convert_columns(float* values, int count, const MidRise& scale, const SarConverter& adc) {
  double ratio[lanes], input[lanes], sign[lanes], magnitude[lanes], code[lanes];
  for (int k = 0; k < lanes; ++k) {
    ratio[k] = scale.ratio(k < count ? values[k] : 0.0f);
    input[k] = adc.shifted(ratio[k]);
    sign[k] = adc.sign(input[k]);
    magnitude[k] = 0;
    code[k] = sign[k] > 0 ? 1 : 0;
  }
  for (int bit = adc.bits - 2; bit >= 0; --bit) {
    for (int k = 0; k < lanes; ++k) adc.search(bit, input[k], sign[k], magnitude[k], code[k]);
  }
  for (int k = 0; k < std::min(count, lanes); ++k) values[k] = scale.output(code[k], ratio[k]);
}

CROSSGRID_MULTIVERSION
void run(float* row, int cols, int group_size, const MidRise& scale, const SarConverter& first,
         const SarGroup* groups) {
  SarConverter adc = first;
  for (int from = 0; from < cols; from += group_size, ++groups, adc.weight += adc.bits - 1) {
    adc.gain_base = groups->gain_base;
    adc.gain_slope = groups->gain_slope;
    adc.offset = groups->offset;
    const int to = std::min(cols - from, group_size);
    for (int k = 0; k < to; k += lanes) convert_columns(row + from + k, to - k, scale, adc);
  }
}

/// The capacitors of one converter.
class SarCapacitors {
 public:
  SarCapacitors(const AdcConfig& config, PhiloxKey mismatch, int group)
      : bits_(config.bits), sigma_(config.errors.sigma_capacitor), mismatch_(mismatch), group_(group) {}

  /// Weights of bits 0 to bits - 2 as magnitudes, and how the magnitude enters the gain's divisor (times 1 / gain).
  double plain(std::vector<double>& weights) const {
    const double reference = capacitor(bits_ - 1, bits_ - 1);
    for (int bit = 0; bit < bits_ - 1; ++bit) weights.push_back(capacitor(bit, bit) / reference);
    return reference / capacitor(bits_ - 1, CapacitorSlot::feedback);
  }

  void split(std::vector<double>& weights) const {
    const int half = bits_ / 2;
    if (bits_ < 2) return;
    std::vector<double> values;
    double low = capacitor(0, CapacitorSlot::dummy), high = 0;
    for (int bit = 0; bit < bits_ - 1; ++bit) {
      values.push_back(capacitor(bit < half ? bit : bit - half, bit));
      (bit < half ? low : high) += values.back();
    }
    const double nominal = std::ldexp(1.0, half) / (std::ldexp(1.0, half) - 1);
    const double bridge = moved(nominal, CapacitorSlot::bridge);
    const double common = (low + bridge) * (high + bridge) - bridge * bridge;
    for (int bit = 0; bit < bits_ - 1; ++bit) {
      weights.push_back(values[static_cast<std::size_t>(bit)] * (bit < half ? bridge : low + bridge) / common);
    }
  }

 private:
  template <class Slot>
  double moved(double nominal, Slot slot) const {
    return sigma_ > 0 ? nominal + sigma_ * std::sqrt(nominal) * capacitor_draw(mismatch_, group_, slot) : nominal;
  }
  template <class Slot>
  double capacitor(int weight_bit, Slot slot) const {
    return moved(std::ldexp(1.0, weight_bit), slot);
  }

  int bits_;
  double sigma_;
  PhiloxKey mismatch_;
  int group_;
};

class SarAdc : public CircuitAdc {
 public:
  SarAdc(const AdcConfig& config, Interval range, int cols, PhiloxKey mismatch)
      : range_(range), scale_(mid_rise(range, config.bits)), bits_(config.bits), group_size_(config.group) {
    const double gain = amplifier_gain(config.errors.gain_db), sigma = config.errors.sigma_comparator;
    for (int group = 0; group * config.group < cols; ++group) {
      const SarCapacitors capacitors(config, mismatch, group);
      double slope = 0;  // the split array's feedback factor is 1
      if (config.split) {
        capacitors.split(weights_);
      } else {
        slope = capacitors.plain(weights_) / gain;
      }
      groups_.push_back({1 + 1 / gain, slope, sigma > 0 ? sigma * comparator_draw(mismatch, group, 0) : 0});
    }
  }

  void convert(float* currents, int windows, int cols, std::ptrdiff_t stride, const ConversionPlace&) const override {
    const SarConverter first{weights_.data(), bits_, 1, 0, std::ldexp(1.0, -bits_), 0};
    for (int window = 0; window < windows; ++window) {
      run(currents + window * stride, cols, group_size_, scale_, first, groups_.data());
    }
  }

  Interval range() const override { return range_; }

 private:
  Interval range_;
  MidRise scale_;
  int bits_, group_size_;
  std::vector<double> weights_;  ///< bits - 1 per group
  std::vector<SarGroup> groups_;
};

}  // namespace

std::shared_ptr<const CircuitAdc> make_sar_adc(const AdcConfig& config, Interval range, int cols,
                                               const AdcStreams& streams) {
  return std::make_shared<SarAdc>(config, range, cols, streams.mismatch);
}

}  // namespace crossgrid
