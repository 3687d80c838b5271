#include "crossgrid/network/range_fit.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "crossgrid/base/rounding.hpp"
#include "crossgrid/network/float_histogram.hpp"

namespace crossgrid {

namespace {

using Bins = std::vector<FloatHistogram::Bin>;

/// What is minimised: the mean of |deviation|^power, squares or absolute values.
template <int power>
double raised(double x) {
  return power == 2 ? x * x : std::abs(x);
}

/// (power + 1) times the integral of |t|^power from 0 to x.
template <int power>
double moment(double x) {
  return x * raised<power>(x);
}

/// Integral of |u - nearest integer|^power from 0 to u.
template <int power>
double rounding_integral(double u) {
  constexpr double steps_per_unit = power == 2 ? 12 : 4;  // its reciprocal is the integral over one step
  const double nearest = round_half_even(u);
  return nearest / steps_per_unit + moment<power>(u - nearest) / (power + 1);
}

/// Mean over [a, b] of the rounding error's power, in steps^power.
template <int power>
double mean_rounding_error(double a, double b) {
  if (b - a < 1e-3) {  // the difference of integrals would be rounding noise
    const double middle = (a + b) / 2;
    return raised<power>(middle - round_half_even(middle));
  }
  return (rounding_integral<power>(b) - rounding_integral<power>(a)) / (b - a);
}

/// Mean error of values spread evenly over a bin.
template <int power>
double bin_error(const FloatHistogram::Bin& bin, Interval range, double step) {
  const double inside_low = std::clamp(bin.low, range.low, range.high);
  const double inside_high = std::clamp(bin.high, range.low, range.high);
  const auto inside = [&](double a, double b) {
    return step > 0 ? raised<power>(step) * mean_rounding_error<power>((a - range.low) / step, (b - range.low) / step)
                    : 0;
  };
  const double width = bin.high - bin.low;
  if (!(width > 0)) {
    const double clipped = bin.low - inside_low;
    return clipped != 0 ? raised<power>(clipped) : inside(inside_low, inside_low);
  }
  const auto beyond = [](double from, double to) {
    return moment<power>(std::max(to, 0.0)) - moment<power>(std::max(from, 0.0));
  };
  const double clipped =
      beyond(range.low - bin.high, range.low - bin.low) + beyond(bin.low - range.high, bin.high - range.high);
  return (clipped / (power + 1) + (inside_high - inside_low) * inside(inside_low, inside_high)) / width;
}

template <int power>
double mean_error(const Bins& bins, Interval range, double steps) {
  const double step = (range.high - range.low) / steps;
  double sum = 0, count = 0;
  for (const FloatHistogram::Bin& bin : bins) {
    sum += static_cast<double>(bin.count) * bin_error<power>(bin, range, step);
    count += static_cast<double>(bin.count);
  }
  return count > 0 ? sum / count : 0;
}

/// What the method minimises.
double total_error(const Bins& bins, Interval range, double steps, RangeFit fit) {
  return fit == RangeFit::least_absolute ? mean_error<1>(bins, range, steps) : mean_error<2>(bins, range, steps);
}

/// Fewer bins for the search: neighbours of one sign are joined up to 1/8192 of the largest magnitude. Zero stays
/// apart.
Bins joined(const Bins& bins) {
  const double width = std::max(-bins.front().low, bins.back().high) / 8192;
  const auto side = [](const FloatHistogram::Bin& bin) { return bin.high > 0 ? 1 : bin.low < 0 ? -1 : 0; };
  Bins all;
  for (const auto& bin : bins) {
    if (!all.empty() && side(all.back()) == side(bin) && bin.high - all.back().low <= width) {
      all.back().high = bin.high;
      all.back().count += bin.count;
    } else {
      all.push_back(bin);
    }
  }
  return all;
}

/// The fraction in (0, 1] with the smallest error: a coarse geometric grid, which ends where clipping has taken over,
/// then golden sections between its neighbours. The error is flat at its least: 1e-3 of the fraction is enough.
double best_fraction(const std::function<double(double)>& error) {
  constexpr double ratio = 0.8408964152537145;  // 2^(-1/4)
  constexpr int candidates = 40;                // down to 1/1024
  double best = 1, least = error(1);
  double f = ratio;
  for (int k = 1; k < candidates; ++k, f *= ratio) {
    const double e = error(f);
    if (e < least) best = f, least = e;
    if (e > 4 * least) break;
  }
  constexpr double golden = 0.6180339887498949;
  double low = best * ratio, high = std::min(best / ratio, 1.0);
  double a = high - golden * (high - low), b = low + golden * (high - low);
  double error_a = error(a), error_b = error(b);
  for (int k = 0; k < 12; ++k) {
    if (error_a < error_b) {
      high = b, b = a, error_b = error_a;
      a = high - golden * (high - low), error_a = error(a);
    } else {
      low = a, a = b, error_a = error_b;
      b = low + golden * (high - low), error_b = error(b);
    }
  }
  const double refined = error_a < error_b ? a : b;
  return std::min(error_a, error_b) < least ? refined : best;
}

/// The value that a fraction of all values does not exceed.
double quantile(const Bins& bins, double fraction) {
  double total = 0;
  for (const auto& bin : bins) total += static_cast<double>(bin.count);
  double wanted = fraction * total;
  for (const auto& bin : bins) {
    const auto count = static_cast<double>(bin.count);
    if (wanted <= count) return bin.low + (bin.high - bin.low) * wanted / count;
    wanted -= count;
  }
  return bins.back().high;
}

/// Bins of |value|, ascending.
Bins magnitudes(const Bins& bins) {
  Bins all;
  for (const auto& bin : bins) {
    if (bin.low < 0) {
      all.push_back({-bin.high, -bin.low, bin.count});
    } else {
      all.push_back(bin);
    }
  }
  std::ranges::stable_sort(all, {}, &FloatHistogram::Bin::low);
  return all;
}

/// The limit h of [0, h] or [-h, h].
double fit_limit(const Bins& bins, bool both_signs, double steps, const RangeRequest& request) {
  if (bins.empty()) return 1;
  const Bins sizes = both_signs ? magnitudes(bins) : bins;
  const double largest = sizes.back().high;
  if (!(largest > 0)) return 1;
  if (request.fit == RangeFit::maximum || steps < 1) return largest;
  if (request.fit == RangeFit::percentile) {
    const double limit = quantile(sizes, request.percentile / 100);
    return limit > 0 ? limit : largest;
  }
  const Bins coarse = joined(bins);
  return largest * best_fraction([&](double f) {
           return total_error(coarse, {both_signs ? -f * largest : 0, f * largest}, steps, request.fit);
         });
}

/// Both ends: first together about the mean, then one after the other until nothing improves.
Interval fit_ends(const Bins& bins, double steps, RangeFit fit) {
  const double low = bins.front().low, high = bins.back().high;
  double sum = 0, count = 0;
  for (const auto& bin : bins) {
    sum += static_cast<double>(bin.count) * (bin.low + bin.high) / 2;
    count += static_cast<double>(bin.count);
  }
  const double mean = sum / count;
  const auto about_mean = [&](double f) { return Interval{mean + f * (low - mean), mean + f * (high - mean)}; };
  Interval range = about_mean(best_fraction([&](double f) { return total_error(bins, about_mean(f), steps, fit); }));
  double least = total_error(bins, range, steps, fit);
  for (int round = 0; round < 4; ++round) {
    const auto with_high = [&](double f) { return Interval{range.low, range.low + f * (high - range.low)}; };
    range = with_high(best_fraction([&](double f) { return total_error(bins, with_high(f), steps, fit); }));
    const auto with_low = [&](double f) { return Interval{range.high - f * (range.high - low), range.high}; };
    range = with_low(best_fraction([&](double f) { return total_error(bins, with_low(f), steps, fit); }));
    const double error = total_error(bins, range, steps, fit);
    if (!(error < least * (1 - 1e-4))) break;
    least = error;
  }
  return range;
}

/// Ramp, SAR, pipeline and cyclic converters.
bool has_circuit(ConverterModel model) {
  return model == ConverterModel::ramp || model == ConverterModel::sar || model == ConverterModel::pipeline ||
         model == ConverterModel::cyclic;
}

double steps_of(ConverterModel model, int bits) {
  return static_cast<double>((1 << bits) - (model == ConverterModel::sign_magnitude ? 2 : 1));
}

}  // namespace

Interval fit_dac_range(const FloatHistogram& inputs, const DacConfig& dac, const RangeRequest& request) {
  const bool both_signs =
      dac.sign == DacSign::is_signed || (dac.sign == DacSign::automatic && inputs.count() > 0 && inputs.min() < 0);
  const bool lengths = dac.model == ConverterModel::pulse_width && both_signs;
  double steps = steps_of(lengths ? ConverterModel::sign_magnitude : dac.model, dac.bits);
  // Unsigned inputs of a sign-magnitude DAC use its levels from zero up.
  if (!both_signs && dac.model == ConverterModel::sign_magnitude) steps /= 2;
  const double limit = fit_limit(inputs.bins(), both_signs, steps, request);
  return {both_signs ? -limit : 0, limit};
}

Interval fit_adc_range(const FloatHistogram& currents, const AdcConfig& adc, const RangeRequest& request) {
  const Bins bins = currents.bins();
  const double steps = steps_of(adc.model, adc.bits);
  if (bins.empty()) return {-1, 1};
  if (has_circuit(adc.model)) {
    // Levels at odd multiples of half a step about 0; where nothing is negative the upper half is used.
    const bool both_signs = bins.front().low < 0;
    const double limit = fit_limit(bins, both_signs, both_signs ? steps : (steps - 1) / 2, request);
    return {both_signs ? -limit : 0, limit};
  }
  if (adc.model == ConverterModel::sign_magnitude) {
    const double limit = fit_limit(bins, true, steps, request);
    return {-limit, limit};
  }
  if (request.fit == RangeFit::percentile) {
    return {quantile(bins, 1 - request.percentile / 100), quantile(bins, request.percentile / 100)};
  }
  if (request.fit == RangeFit::maximum || !(currents.max() > currents.min())) return {currents.min(), currents.max()};
  return fit_ends(joined(bins), steps, request.fit);
}

std::vector<Interval> with_power_ratios(const std::vector<Interval>& ranges) {
  if (ranges.size() < 2) return ranges;
  Interval widest = *std::ranges::max_element(ranges, {}, [](const Interval& range) { return range.high - range.low; });
  widest = {std::min(widest.low, 0.0), std::max(widest.high, 0.0)};
  std::vector<Interval> related;
  for (const Interval& range : ranges) {
    const auto holds = [&](double f) {
      return f * widest.low <= std::min(range.low, 0.0) && f * widest.high >= range.high;
    };
    double factor = 1;
    while (factor > 1e-6 && holds(factor / 2)) factor /= 2;
    while (factor < 1e6 && !holds(factor) && widest.low < 0 && widest.high > 0) factor *= 2;
    related.push_back({factor * widest.low, factor * widest.high});
  }
  return related;
}

namespace {

/// Mean square error of the slices' conversions, each in cell currents, with bins joined once.
class OutputError {
 public:
  OutputError(std::span<const FloatHistogram> slices, std::span<const double> weights, const AdcConfig& adc)
      : weights_(weights), steps_(steps_of(adc.model, adc.bits)), circuit_(has_circuit(adc.model)) {
    for (const FloatHistogram& values : slices) {
      const Bins bins = values.bins();
      bins_.push_back(bins.empty() ? bins : joined(bins));
    }
  }

  double slice(std::size_t slice, Interval range) const {
    // As in fit_adc_range(): of levels at odd multiples of half a step about 0 the upper half is used.
    const double steps = circuit_ && !(range.low < 0) ? (steps_ - 1) / 2 : steps_;
    return weights_[slice] * weights_[slice] * mean_error<2>(bins_[slice], range, steps);
  }

 private:
  std::vector<Bins> bins_;
  std::span<const double> weights_;
  double steps_;
  bool circuit_;
};

Interval scaled(Interval range, double factor) {
  return {factor * range.low, factor * range.high};
}

/// The power of two (from `factor` on) with the least error of a slice: its error has one minimum.
double best_power(const OutputError& error, std::size_t slice, Interval shape, double factor) {
  double best = factor, least = error.slice(slice, scaled(shape, factor));
  for (const double step : {0.5, 2.0}) {
    for (int k = 0; k < 40; ++k) {
      const double next = error.slice(slice, scaled(shape, best * step));
      if (!(next < least)) break;
      best *= step, least = next;
    }
  }
  return best;
}

}  // namespace

double output_error(std::span<const FloatHistogram> slices, std::span<const double> weights, const AdcConfig& adc,
                    std::span<const Interval> ranges) {
  const OutputError error(slices, weights, adc);
  double sum = 0;
  for (std::size_t slice = 0; slice < slices.size(); ++slice) sum += error.slice(slice, ranges[slice]);
  return sum;
}

std::vector<Interval> fit_output_ranges(std::span<const FloatHistogram> slices, std::span<const double> weights,
                                        const AdcConfig& adc) {
  std::vector<Interval> own;
  own.reserve(slices.size());
  for (const FloatHistogram& values : slices) own.push_back(fit_adc_range(values, adc, {}));
  if (slices.size() == 1) return own;
  std::vector<Interval> related = with_power_ratios(own);
  const Interval shape = *std::ranges::max_element(related, {}, [](Interval range) { return range.high - range.low; });
  if (!(shape.high > shape.low)) return related;
  const OutputError error(slices, weights, adc);
  // Scales of one octave: what lies beyond is another power of two.
  constexpr int scales = 32;
  std::vector<Interval> best;
  double least = HUGE_VAL;
  for (int k = 0; k < scales; ++k) {
    const double scale = std::exp2(-static_cast<double>(k) / scales);
    std::vector<Interval> ranges;
    double sum = 0;
    for (std::size_t slice = 0; slice < slices.size(); ++slice) {
      const double start = (related[slice].high - related[slice].low) / (shape.high - shape.low);
      ranges.push_back(scaled(shape, best_power(error, slice, shape, scale * start)));
      sum += error.slice(slice, ranges.back());
    }
    if (sum < least) best = ranges, least = sum;
  }
  return best;
}

double quantization_error(const FloatHistogram& values, Interval range, double steps) {
  return mean_error<2>(values.bins(), range, steps);
}

double absolute_quantization_error(const FloatHistogram& values, Interval range, double steps) {
  return mean_error<1>(values.bins(), range, steps);
}

}  // namespace crossgrid
