#include "crossgrid/network/range_fit.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "crossgrid/network/float_histogram.hpp"

namespace crossgrid {
namespace {

std::vector<float> normal_values(std::size_t count, double mean, double deviation) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(static_cast<float>(mean), static_cast<float>(deviation));
  std::vector<float> values(count);
  for (float& v : values) v = normal(random);
  return values;
}

FloatHistogram histogram(const std::vector<float>& values) {
  FloatHistogram h;
  h.add(values.data(), values.size());
  return h;
}

/// By definition, value by value: mean of |difference|^power.
double measured_error(const std::vector<float>& values, Interval range, double steps, double power = 2) {
  const double step = (range.high - range.low) / steps;
  double sum = 0;
  for (const double v : values) {
    const double level = range.low + std::nearbyint((std::clamp(v, range.low, range.high) - range.low) / step) * step;
    sum += std::pow(std::abs(v - level), power);
  }
  return sum / static_cast<double>(values.size());
}

TEST(FloatHistogram, IsTheSameInAnyOrder) {
  const std::vector<float> values = normal_values(5000, 0.3, 2);
  FloatHistogram a = histogram(values), b, c;
  b.add(values.data() + 1234, values.size() - 1234);
  c.add(values.data(), 1234);
  b += c;
  EXPECT_EQ(a.count(), b.count());
  EXPECT_EQ(a.min(), *std::ranges::min_element(values));
  EXPECT_EQ(a.max(), b.max());
  const auto x = a.bins(), y = b.bins();
  ASSERT_EQ(x.size(), y.size());
  std::uint64_t total = 0;
  double last = -1e30;
  for (std::size_t k = 0; k < x.size(); ++k) {
    EXPECT_EQ(x[k].count, y[k].count);
    EXPECT_LE(last, x[k].low);
    EXPECT_LE(x[k].low, x[k].high);
    last = x[k].high;
    total += x[k].count;
  }
  EXPECT_EQ(total, values.size());
}

TEST(RangeFit, KnowsTheErrorOfARange) {
  const std::vector<float> values = normal_values(200000, 0.1, 1);
  for (const double steps : {3.0, 15.0, 63.0, 255.0}) {
    for (const Interval range : {Interval{-1, 1}, Interval{-3, 2.5}, Interval{-5, 5}}) {
      const double measured = measured_error(values, range, steps);
      EXPECT_NEAR(quantization_error(histogram(values), range, steps), measured, 0.02 * measured) << steps;
      const double absolute = measured_error(values, range, steps, 1);
      EXPECT_NEAR(absolute_quantization_error(histogram(values), range, steps), absolute, 0.02 * absolute) << steps;
    }
  }
}

TEST(RangeFit, FindsTheLeastSquaresRangeOfANormalDistribution) {
  // Max (1960), "Quantizing for minimum distortion", Table II: best uniform steps of a unit normal, 2^b levels.
  const std::vector<float> values = normal_values(1000000, 0, 1);
  const struct {
    int bits;
    double step;
  } table[] = {{2, 0.9957}, {3, 0.5860}, {4, 0.3352}};
  for (const auto& [bits, step] : table) {
    AdcConfig adc;
    adc.model = ConverterModel::quantizer, adc.bits = bits;
    const Interval range = fit_adc_range(histogram(values), adc, {});
    EXPECT_NEAR((range.high - range.low) / (std::ldexp(1.0, bits) - 1), step, 0.02 * step) << bits << " bits";
    EXPECT_NEAR(range.high + range.low, 0, 0.05);
  }
}

/// The best of symmetric ranges by trying them on the values themselves.
double best_limit(const std::vector<float>& values, double largest, double steps, double power) {
  double best = 0, least = HUGE_VAL;
  for (double limit = 0.02 * largest; limit <= largest; limit += 0.01 * largest) {
    const double error = measured_error(values, {-limit, limit}, steps, power);
    if (error < least) best = limit, least = error;
  }
  return best;
}

TEST(RangeFit, FindsTheLeastErrorThatTryingFinds) {
  // A heavy tail: squares and absolute values want different ranges.
  std::mt19937 random(3);
  std::student_t_distribution<float> tail(4);
  std::vector<float> values(4000);
  for (float& v : values) v = tail(random);
  const FloatHistogram h = histogram(values);
  const double largest = std::max(-h.min(), h.max());
  for (const int bits : {3, 5}) {
    const AdcConfig adc{ConverterModel::sign_magnitude, bits, RangeRule::calibrated, {}};
    const double steps = std::ldexp(1.0, bits) - 2;
    const Interval squares = fit_adc_range(h, adc, {RangeFit::least_squares, 0});
    const Interval absolute = fit_adc_range(h, adc, {RangeFit::least_absolute, 0});
    EXPECT_LT(absolute.high, squares.high) << bits << " bits";
    for (const auto& [range, power] : {std::pair{squares, 2.0}, std::pair{absolute, 1.0}}) {
      const double limit = best_limit(values, largest, steps, power);
      EXPECT_LT(measured_error(values, range, steps, power),
                1.03 * measured_error(values, {-limit, limit}, steps, power))
          << bits << " bits, power " << power << ": " << range.high << ", by trying " << limit;
    }
  }
}

TEST(RangeFit, FindsBothEndsOfTheLeastAbsoluteError) {
  const std::vector<float> values = normal_values(4000, 0.7, 1);
  const FloatHistogram h = histogram(values);
  const AdcConfig adc{ConverterModel::quantizer, 3, RangeRule::calibrated, {}};
  const Interval found = fit_adc_range(h, adc, {RangeFit::least_absolute, 0});
  double least = HUGE_VAL;
  for (double low = h.min(); low < 0.7; low += 0.1) {
    for (double high = 0.8; high < h.max(); high += 0.1) {
      least = std::min(least, measured_error(values, {low, high}, 7, 1));
    }
  }
  EXPECT_LT(measured_error(values, found, 7, 1), 1.02 * least);
  EXPECT_NE(found, fit_adc_range(h, adc, {RangeFit::least_squares, 0}));
}

TEST(RangeFit, ObeysTheOtherMethods) {
  std::vector<float> values = normal_values(100000, 0, 1);
  const FloatHistogram h = histogram(values);
  std::ranges::sort(values);
  const AdcConfig adc{ConverterModel::quantizer, 8, RangeRule::calibrated, {}};
  const Interval all = fit_adc_range(h, adc, {RangeFit::maximum, 0});
  EXPECT_EQ(all.low, values.front());
  EXPECT_EQ(all.high, values.back());
  const Interval most = fit_adc_range(h, adc, {RangeFit::percentile, 99});
  EXPECT_NEAR(most.low, values[1000], 0.02);
  EXPECT_NEAR(most.high, values[99000], 0.02);
}

TEST(RangeFit, MakesInputsUnsignedOnlyWhereNoneIsNegative) {
  DacConfig dac;
  dac.model = ConverterModel::quantizer;
  const FloatHistogram positive = histogram({0, 0.5f, 3});
  EXPECT_EQ(fit_dac_range(positive, dac, {RangeFit::maximum, 0}), (Interval{0, 3}));
  const FloatHistogram both = histogram({-4, 0.5f, 3});
  EXPECT_EQ(fit_dac_range(both, dac, {RangeFit::maximum, 0}), (Interval{-4, 4}));
  DacConfig forced = dac;
  forced.sign = DacSign::is_signed;
  EXPECT_EQ(fit_dac_range(positive, forced, {RangeFit::maximum, 0}), (Interval{-3, 3}));
  EXPECT_EQ(fit_dac_range(histogram({0, 0}), dac, {}), (Interval{0, 1}));
}

TEST(RangeFit, SlicesKeepRatiosOfPowersOfTwo) {
  const auto related = with_power_ratios({{-7, 8}, {-1.9, 1}, {-0.2, 3.9}, {0, 0.3}});
  EXPECT_EQ(related[0], (Interval{-7, 8}));
  EXPECT_EQ(related[1], (Interval{-3.5, 4}));
  EXPECT_EQ(related[2], (Interval{-3.5, 4}));
  EXPECT_EQ(related[3], (Interval{-0.4375, 0.5}));
  // Where nothing is negative the ratio is about zero, the one value that all scales share.
  const auto positive = with_power_ratios({{0.5, 10}, {0.1, 2.4}});
  EXPECT_EQ(positive[0], (Interval{0, 10}));
  EXPECT_EQ(positive[1], (Interval{0, 2.5}));
  EXPECT_EQ(with_power_ratios({{0.5, 10}})[0], (Interval{0.5, 10})) << "one range stays";
}

/// Currents of three slices of 2 bits: wide, narrow, and one sided.
struct Slices {
  std::vector<std::vector<float>> values{normal_values(20000, 0.3, 2), normal_values(20000, 0.1, 0.6),
                                         normal_values(20000, 0.9, 0.3)};
  std::vector<double> weights{1, 4, 16};
  std::vector<FloatHistogram> histograms;
  Slices() {
    std::mt19937 random(9);  // independent of each other
    for (auto& of : values) {
      std::ranges::shuffle(of, random);
      histograms.push_back(histogram(of));
    }
  }
};

TEST(RangeFit, KnowsTheErrorOfTheOutputAfterShiftAndAdd) {
  const Slices slices;
  const AdcConfig adc{ConverterModel::quantizer, 4, RangeRule::calibrated, {}};
  const std::vector<Interval> ranges{{-4, 4}, {-2, 2}, {-0.5, 2}};
  double sum = 0;
  for (std::size_t k = 0; k < slices.values[0].size(); ++k) {
    double error = 0;
    for (std::size_t slice = 0; slice < 3; ++slice) {
      const auto& [low, high] = ranges[slice];
      const double v = slices.values[slice][k], step = (high - low) / 15;
      error += slices.weights[slice] * (low + std::nearbyint((std::clamp(v, low, high) - low) / step) * step - v);
    }
    sum += error * error;
  }
  const double measured = sum / static_cast<double>(slices.values[0].size());
  EXPECT_NEAR(output_error(slices.histograms, slices.weights, adc, ranges), measured, 0.03 * measured);
}

TEST(RangeFit, SignalToNoiseMakesTheOutputsErrorLeast) {
  const Slices slices;
  for (const ConverterModel model : {ConverterModel::quantizer, ConverterModel::sar}) {
    for (const int bits : {3, 5}) {
      const AdcConfig adc{model, bits, RangeRule::calibrated, {}};
      const auto error = [&](const std::vector<Interval>& ranges) {
        return output_error(slices.histograms, slices.weights, adc, ranges);
      };
      const std::vector<Interval> found = fit_output_ranges(slices.histograms, slices.weights, adc);
      std::vector<Interval> squares, largest;
      for (const FloatHistogram& values : slices.histograms) {
        squares.push_back(fit_adc_range(values, adc, {RangeFit::least_squares, 0}));
        largest.push_back(fit_adc_range(values, adc, {RangeFit::maximum, 0}));
      }
      EXPECT_LE(error(found), error(with_power_ratios(squares))) << bits << " bits";
      EXPECT_LT(error(found), error(with_power_ratios(largest))) << bits << " bits";
      // By trying scales and powers of the same shape.
      double least = HUGE_VAL;
      for (double scale = 0.5; scale < 1; scale *= 1.02) {
        double sum = 0;
        for (std::size_t slice = 0; slice < 3; ++slice) {
          double best = HUGE_VAL;
          for (int power = -5; power <= 3; ++power) {
            const double factor = std::ldexp(scale, power);
            const Interval range{factor * found[0].low, factor * found[0].high};
            best = std::min(
                best, output_error({&slices.histograms[slice], 1}, {&slices.weights[slice], 1}, adc, {&range, 1}));
          }
          sum += best;
        }
        least = std::min(least, sum);
      }
      EXPECT_LT(error(found), 1.01 * least) << bits << " bits, " << error(found) / least;
      for (const Interval& range : found) {
        const double power = std::log2((range.high - range.low) / (found[0].high - found[0].low));
        EXPECT_NEAR(power, std::round(power), 1e-9);
      }
    }
  }
}

TEST(RangeFit, SignalToNoiseOfOneSliceIsLeastSquares) {
  const FloatHistogram h = histogram(normal_values(10000, 0.2, 1));
  const AdcConfig adc{ConverterModel::quantizer, 4, RangeRule::calibrated, {}};
  const double weight = 1;
  EXPECT_EQ(fit_output_ranges({&h, 1}, {&weight, 1}, adc), (std::vector<Interval>{fit_adc_range(h, adc, {})}));
  DacConfig dac;
  dac.model = ConverterModel::quantizer;
  EXPECT_EQ(fit_dac_range(h, dac, {RangeFit::signal_to_noise, 0}), fit_dac_range(h, dac, {}));
}

}  // namespace
}  // namespace crossgrid
