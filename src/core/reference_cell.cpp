#include "crossgrid/core/reference_cell.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "crossgrid/base/normal.hpp"
#include "crossgrid/base/uniform.hpp"

namespace crossgrid {
namespace {

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

/// Of a variable that is uniform between a and b before it is limited: integrals of x and x^2 piece by piece.
ReferenceCell::Moments uniform_moments(double a, double b, double low, double high) {
  const double under = std::max(std::min(b, low) - a, 0.0), over = std::max(b - std::max(a, high), 0.0);
  const double from = std::max(a, low), to = std::max(std::min(b, high), from);
  const double top = over > 0 ? high : 0;
  const double first = low * under + top * over + (to * to - from * from) / 2;
  const double second = low * low * under + top * top * over + (to * to * to - from * from * from) / 3;
  const double mean = first / (b - a);
  return {mean, second / (b - a) - mean * mean, (under + over) / (b - a)};
}

}  // namespace

ReferenceCell::ReferenceCell(const DeviceConfig& device)
    : device_(device),
      low_(device.clip ? 1 / device.on_off_ratio : 0),
      high_(device.clip ? 1 : std::numeric_limits<double>::infinity()) {}

double ReferenceCell::limited(double g) const {
  return std::clamp(g, low_, high_);
}

double ReferenceCell::programmed(double target, const LayerStreams& streams, int plane, std::uint64_t index) const {
  double g = target;
  const ErrorConfig& error = device_.programming_error;
  if (error.active()) {
    g = limited(with_error(error, g, {streams.key(DrawPurpose::programming_error, plane), 0, 0}, index));
  }
  const double u = 0.5 + uniform_draw({streams.key(DrawPurpose::cell_fault, plane), 0, 0}, index) / std::sqrt(12.0);
  const FaultConfig& faults = device_.faults;
  if (faults.stuck_off > 0 && u < faults.stuck_off) return 1 / device_.on_off_ratio;
  if (faults.stuck_on > 0 && u >= 1 - faults.stuck_on) return 1;
  return g;
}

double ReferenceCell::read(double g, const DrawSequence& draws, std::uint64_t index) const {
  return limited(with_error(device_.read_noise, g, draws, index));
}

ReferenceCell::Moments ReferenceCell::moments(double g) const {
  const double s = spread_of(device_.read_noise, g);
  if (s == 0) return {g, 0, 0};
  if (is_uniform(device_.read_noise)) return uniform_moments(g - s / 2, g + s / 2, low_, high_);
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

}  // namespace crossgrid
