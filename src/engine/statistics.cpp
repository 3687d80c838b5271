#include "crossgrid/engine/statistics.hpp"

#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>

namespace crossgrid {

namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

/// The two-sided 95 % quantile of Student's t; the last one is kept, since all points of a sweep mostly have equal
/// trials.
double student_t95(std::uint64_t freedom) {
  thread_local std::uint64_t known_freedom = 0;
  thread_local double known = undefined;
  if (freedom != known_freedom) {
    const boost::math::students_t distribution(static_cast<double>(freedom));
    known = boost::math::quantile(boost::math::complement(distribution, 0.025));
    known_freedom = freedom;
  }
  return known;
}

}  // namespace

TrialStatistics trial_statistics(std::span<const double> values) {
  TrialStatistics result{values.size(), undefined, undefined, undefined, undefined};
  if (values.empty()) return result;
  const auto n = static_cast<double>(values.size());
  // Around the first value: exact where all are equal, and without cancellation where they are close.
  double shift = 0;
  for (const double value : values) shift += value - values[0];
  result.mean = values[0] + shift / n;
  if (values.size() < 2) return result;
  double squares = 0;
  for (const double value : values) squares += (value - result.mean) * (value - result.mean);
  result.std = std::sqrt(squares / (n - 1));
  const double half = student_t95(values.size() - 1) * result.std / std::sqrt(n);
  result.ci95_low = result.mean - half;
  result.ci95_high = result.mean + half;
  return result;
}

double binomial_error(double p, std::uint64_t images) {
  if (images == 0 || !(p >= 0 && p <= 1)) return undefined;
  return std::sqrt(p * (1 - p) / static_cast<double>(images));
}

}  // namespace crossgrid
