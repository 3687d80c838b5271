#include "crossgrid/circuit/ramp_adc.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "adc_banks.hpp"
#include "crossgrid/backend/launch.hpp"
#include "crossgrid/circuit/adc_mismatch.hpp"

namespace crossgrid {
namespace {

/// Above it levels are searched instead of tabulated: an array's table should stay below 64 KiB.
constexpr int most_table_bits = 12;

CROSSGRID_MULTIVERSION
void run(std::size_t count, const ConvertRamp& element) {
  for_each_index(count, element);
}

CROSSGRID_MULTIVERSION
void run(std::size_t count, const SearchRamp& element) {
  for_each_index(count, element);
}

class RampAdc : public CircuitAdc {
 public:
  RampAdc(const AdcConfig& config, Interval range, int cols, PhiloxKey mismatch)
      : range_(range), scale_(mid_rise(range, config.bits)), weights_(static_cast<std::size_t>(config.bits)) {
    for (int column = 0; column < cols; ++column) {
      const double sigma = config.errors.sigma_comparator;
      offsets_.push_back(sigma > 0 ? sigma * comparator_draw(mismatch, column, 0) : 0);
    }
    make_dac(config, mismatch);
    if (config.bits <= most_table_bits) {
      make_table();
    } else {
      find_reach();
    }
  }

  void convert(float* currents, int windows, int cols, std::ptrdiff_t stride, const ConversionPlace&) const override {
    const auto count = static_cast<std::size_t>(cols);
    for (int window = 0; window < windows; ++window) {
      float* const row = currents + window * stride;
      if (table_) {
        run(count, ConvertRamp{row, offsets_.data(), scale_, table_->table()});
      } else {
        run(count, SearchRamp{row, offsets_.data(), scale_, dac_, reach_});
      }
    }
  }

  Interval range() const override { return range_; }

 private:
  void make_dac(const AdcConfig& config, PhiloxKey mismatch) {
    const int bits = config.bits;
    const double sigma = config.errors.sigma_capacitor;
    const auto capacitor = [&](int weight_bit, auto slot) {
      const double nominal = std::ldexp(1.0, weight_bit);
      return sigma > 0 ? nominal + sigma * std::sqrt(nominal) * capacitor_draw(mismatch, 0, slot) : nominal;
    };
    for (int bit = 0; bit < bits; ++bit) weights_[static_cast<std::size_t>(bit)] = capacitor(bit, bit);
    const double feedback = capacitor(config.symmetric ? bits - 1 : bits, CapacitorSlot::feedback);
    const double reference = config.symmetric ? weights_.back() : feedback;
    for (double& weight : weights_) weight /= reference;
    const double gain = amplifier_gain(config.errors.gain_db);
    dac_ = {weights_.data(), bits, config.symmetric, 1 + 1 / gain, reference / feedback / gain, std::ldexp(1.0, -bits)};
  }

  /// Levels in ascending order, half way between them a threshold. Mismatch may have changed their order.
  void make_table() {
    std::vector<std::pair<double, int>> levels;
    levels.reserve(std::size_t{1} << dac_.bits);
    for (int code = 0; code < 1 << dac_.bits; ++code) levels.emplace_back(dac_.level(code), code);
    std::ranges::sort(levels);
    const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
    levels.erase(std::unique(levels.begin(), levels.end(), same), levels.end());
    std::vector<double> thresholds;
    std::vector<float> outputs;
    for (std::size_t k = 0; k < levels.size(); ++k) {
      const auto& [level, code] = levels[k];
      outputs.push_back(scale_.output(code, 0));
      if (k > 0) thresholds.push_back(threshold_between(levels[k - 1].first, level, code < levels[k - 1].second));
    }
    table_.emplace(std::move(thresholds), std::move(outputs));
  }

  /// From a bound of the distance of any level from its nominal place.
  void find_reach() {
    double moved = 0, total = 0;
    for (int bit = 0; bit < dac_.bits; ++bit) {
      const double weight = dac_.weight[bit];
      moved += std::abs(weight - std::ldexp(1.0, bit - dac_.bits + (dac_.symmetric ? 1 : 0)));
      total += std::abs(weight);
    }
    const double divisor = dac_.gain_base + dac_.gain_slope * total;
    const double bound = 2 * moved + 2 * (1 + moved) * (1 - 1 / divisor);
    reach_ = static_cast<int>(std::min(std::ceil(std::ldexp(2 * bound, dac_.bits - 1)), 65536.0)) + 2;
  }

  Interval range_;
  MidRise scale_;
  std::vector<double> weights_, offsets_;
  RampDac dac_{};
  std::optional<StepTableData> table_;
  int reach_ = 0;
};

}  // namespace

std::shared_ptr<const CircuitAdc> make_ramp_adc(const AdcConfig& config, Interval range, int cols,
                                                const AdcStreams& streams) {
  return std::make_shared<RampAdc>(config, range, cols, streams.mismatch);
}

}  // namespace crossgrid
