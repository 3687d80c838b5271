#include "crossgrid/device/clipped_moments.hpp"

#include <algorithm>

#include "crossgrid/device/clipped_normal.hpp"

namespace crossgrid {

ClippedMoments clipped_uniform(double mean, double sigma, double low, double high) {
  if (sigma == 0) return {std::clamp(mean, low, high), 0, 0};
  const double half = sigma * 1.7320508075688772;
  const double from = std::max(mean - half, low), to = std::min(mean + half, high);
  if (from >= to) return {std::clamp(mean, low, high), 0, 1};
  const double below = std::max(low - (mean - half), 0.0) / (2 * half);
  const double above = std::max(mean + half - high, 0.0) / (2 * half);
  const double inside = (to - from) / (2 * half), middle = (from + to) / 2;
  const double limit = above > 0 ? high : 0;  // an infinite one is never met
  const double average = low * below + limit * above + middle * inside;
  const auto square = [](double x) { return x * x; };
  const double variance = below * square(low - average) + above * square(limit - average) +
                          inside * (square(middle - average) + square(to - from) / 12);
  return {average, variance, below + above};
}

ClippedMoments clipped_moments(DrawLaw law, double mean, double sigma, double low, double high) {
  return law == DrawLaw::normal ? clipped_normal(mean, sigma, low, high) : clipped_uniform(mean, sigma, low, high);
}

}  // namespace crossgrid
