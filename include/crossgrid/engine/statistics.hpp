#pragma once

#include <cstdint>
#include <span>

namespace crossgrid {

/// Mean and spread of a metric over trials (chips). NaN: undefined.
struct TrialStatistics {
  std::uint64_t n = 0;
  double mean = 0;
  double std = 0;       ///< sample standard deviation, n - 1
  double ci95_low = 0;  ///< two-sided 95 % interval of the mean, Student t with n - 1 degrees of freedom
  double ci95_high = 0;
};

/// Of `values` in the order given: equal values in equal order give equal bits. n < 1: all NaN; n < 2: std and interval
/// NaN. Equal values have std exactly 0.
TrialStatistics trial_statistics(std::span<const double> values);

/// Standard error of a proportion p from a finite set of `images`, sqrt(p (1 - p) / images); NaN for none.
double binomial_error(double p, std::uint64_t images);

}  // namespace crossgrid
