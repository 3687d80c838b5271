#include "crossgrid/app/plot_scale.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace crossgrid {

namespace {

constexpr std::array<std::string_view, 7> no_limit{"unlimited", "all",      "continuous", "infinite",
                                                   "float",     "unsliced", "ideal"};

/// Numbers, words, words that mean 'no limit', null.
int rank(const DatabaseValue& value) {
  if (value.is_number()) return 0;
  if (value.is_none()) return 3;
  return std::find(no_limit.begin(), no_limit.end(), value.text()) == no_limit.end() ? 1 : 2;
}

/// Spaced by a factor rather than by a difference; ascending, all above 0.
bool is_logarithmic(std::span<const double> numbers) {
  if (numbers.size() < 3) return false;
  double least_ratio = 1e300, largest_ratio = 0, least_step = 1e300, largest_step = 0;
  for (std::size_t i = 1; i < numbers.size(); ++i) {
    const double ratio = numbers[i] / numbers[i - 1], step = numbers[i] - numbers[i - 1];
    least_ratio = std::min(least_ratio, ratio), largest_ratio = std::max(largest_ratio, ratio);
    least_step = std::min(least_step, step), largest_step = std::max(largest_step, step);
  }
  return largest_ratio / least_ratio < largest_step / least_step && numbers.back() / numbers.front() >= 4;
}

std::string short_number(double number) {
  return fmt::format("{:.6g}", number);
}

}  // namespace

bool drawn_before(const DatabaseValue& a, const DatabaseValue& b) {
  return rank(a) != rank(b) ? rank(a) < rank(b) : compare(a, b) < 0;
}

AxisScale axis_scale(const std::vector<DatabaseValue>& values) {
  std::vector<double> numbers;
  for (const DatabaseValue& value : values) {
    if (value.is_number()) numbers.push_back(value.number());
  }
  const std::size_t zeros = !numbers.empty() && numbers.front() == 0 ? 1 : 0;
  const bool logarithmic = !numbers.empty() && numbers[0] >= 0 && is_logarithmic(std::span(numbers).subspan(zeros));
  std::vector<double> scaled = numbers;
  if (logarithmic) {
    for (double& number : scaled) number = number > 0 ? std::log(number) : 0;
  }
  const std::size_t apart = logarithmic ? zeros : 0;
  // A value without a scale takes the room that a value has on average; alone, one unit.
  const std::size_t on_scale = scaled.size() - apart;
  const double span = on_scale > 1 ? scaled.back() - scaled[apart] : 0;
  const double step = span > 0 ? span / static_cast<double>(on_scale - 1) : 1;

  std::vector<double> at;
  std::vector<double> breaks;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool number = i < scaled.size() && i >= apart;
    const double origin = apart > 0 ? 1.2 * step : 0;
    if (number) {
      at.push_back(origin + scaled[i] - scaled[apart]);
    } else {
      at.push_back(at.empty() ? 0 : at.back() + (i == scaled.size() && !numbers.empty() ? 1.2 : 1) * step);
    }
    const bool scale_begins = number && i == apart && apart > 0;
    const bool scale_ends = !number && i > 0 && i == scaled.size() && on_scale > 0;
    if (scale_begins || scale_ends) breaks.push_back(0.5 * (at[i] + at[i - 1]));
  }
  AxisScale scale;
  const double width = at.empty() || at.back() == 0 ? 0 : at.back();
  const auto placed = [&](double x) { return width > 0 ? x / width : 0.5; };
  for (std::size_t i = 0; i < at.size(); ++i) {
    scale.places.push_back(placed(at[i]));
    const DatabaseValue& value = values[i];
    scale.ticks.push_back({placed(at[i]), value.is_number() ? short_number(value.number())
                                          : value.is_none() ? "none"
                                                            : std::string(value.text())});
  }
  for (const double x : breaks) scale.breaks.push_back(placed(x));
  return scale;
}

NumberScale::NumberScale(std::span<const double> numbers) {
  const auto [least, largest] = std::minmax_element(numbers.begin(), numbers.end());
  logarithmic_ = *least > 0 && *largest / *least > 100;
  low_ = transformed(*least);
  high_ = transformed(*largest);
  if (!(high_ - low_ > 1e-9 * std::max(std::abs(high_), std::abs(low_)))) {
    const double room = logarithmic_ ? 0.5 : std::max(std::abs(high_) * 0.1, 1e-12);
    low_ -= room, high_ += room;
  }
  if (logarithmic_) {
    const int decades = static_cast<int>(std::floor(high_) - std::ceil(low_)) + 1;
    const int every = std::max(1, (decades + 5) / 6);
    for (int power = static_cast<int>(std::ceil(low_)); power <= static_cast<int>(std::floor(high_)); power += every) {
      ticks_.push_back({place(std::pow(10.0, power)), short_number(std::pow(10.0, power))});
    }
    return;
  }
  // Steps of 1, 2 or 5 times a power of ten, about five of them.
  const double rough = (high_ - low_) / 5;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  const double step = (rough / power < 1.5 ? 1 : rough / power < 3.5 ? 2 : rough / power < 7.5 ? 5 : 10) * power;
  // + 0.0: no "-0".
  for (double k = std::ceil(low_ / step - 1e-9); k * step <= high_ + 1e-9 * step; ++k) {
    ticks_.push_back({place(k * step), fmt::format("{:.10g}", std::round(k) * step + 0.0)});
  }
}

double NumberScale::transformed(double number) const {
  return logarithmic_ ? std::log10(number) : number;
}

double NumberScale::place(double number) const {
  return (transformed(number) - low_) / (high_ - low_);
}

}  // namespace crossgrid
