#include "crossgrid/core/reference_cell.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

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
    case ErrorModel::device:
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

/// A curve of a device file over a conductance normalised by Gmax, by libm; the value is normalised too.
double value_of(const Curve& curve, const DeviceConfig& device, double g) {
  using Quantity = Curve::Quantity;
  const double siemens = g / device.r_min, unit = curve.argument_unit;
  double x = curve.argument == Quantity::conductance ? siemens / unit
             : curve.argument == Quantity::current   ? siemens * device.read_voltage / unit
                                                     : g;
  if (curve.argument_log10) x = std::log10(x);
  const std::vector<double>&a = curve.parameters, &points = curve.points;
  const double positive = std::max(x, 1e-7);
  double y = 0;
  switch (curve.law) {
    case CurveLaw::polynomial:
      for (std::size_t k = 0; k < a.size(); ++k) y += a[k] * std::pow(x, static_cast<double>(k));
      break;
    case CurveLaw::table:
      y = x < points.front() ? a.front() : a.back();
      for (std::size_t k = 1; k < a.size(); ++k) {
        if (points[k - 1] <= x && x < points[k]) {
          y = a[k - 1] + (a[k] - a[k - 1]) * (x - points[k - 1]) / (points[k] - points[k - 1]);
        }
      }
      break;
    case CurveLaw::levels: {
      const auto nearest = std::min_element(points.begin(), points.end(),
                                            [&](double p, double q) { return std::abs(p - x) < std::abs(q - x); });
      y = a[static_cast<std::size_t>(nearest - points.begin())];
      break;
    }
    case CurveLaw::saturating_exponential:
      y = a[0] * (1 - std::exp(-x / a[1]));
      break;
    case CurveLaw::logarithmic:
      y = a[0] * std::log(positive) + a[1];
      break;
    case CurveLaw::power:
      y = a[0] * std::pow(positive, a[1]);
      break;
  }
  y = std::clamp(y, curve.low, curve.high) * curve.value_unit;
  return curve.value == Quantity::conductance ? y * device.r_min
         : curve.value == Quantity::current   ? y * device.r_min / device.read_voltage
                                              : y;
}

/// Linear in time between the two curves that are next to t, or the outermost two.
double value_at(const std::vector<double>& times, const std::vector<Curve>& curves, const DeviceConfig& device,
                double t, double g) {
  if (times.size() == 1) return value_of(curves.front(), device, g);
  std::size_t k = 0;
  while (k + 2 < times.size() && t >= times[k + 1]) ++k;
  const double part = (t - times[k]) / (times[k + 1] - times[k]);
  Curve curve = curves[k];
  for (std::size_t i = 0; i < curve.parameters.size(); ++i) {
    curve.parameters[i] = (1 - part) * curves[k].parameters[i] + part * curves[k + 1].parameters[i];
  }
  return value_of(curve, device, g);
}

/// A cell's conductance with draw `index` of its error, before any limit.
double with_error(const ErrorConfig& error, double g, double spread, const DrawSequence& draws, std::uint64_t index) {
  if (is_uniform(error)) return g + spread * uniform_draw(draws, index) / std::sqrt(12.0);
  return g + spread * normal_draw(draws, index);
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

ReferenceCell::ReferenceCell(const DeviceConfig& device, int cols)
    : device_(device),
      cols_(cols),
      low_(device.clip ? 1 / device.on_off_ratio : 0),
      high_(device.clip ? 1 : std::numeric_limits<double>::infinity()) {}

double ReferenceCell::limited(double g) const {
  return std::clamp(g, low_, high_);
}

double ReferenceCell::without_faults(double target, const LayerStreams& streams, int plane, std::uint64_t index,
                                     double& programmed) const {
  const DrawSequence draws{streams.key(DrawPurpose::programming_error, plane), 0, 0};
  const MeasuredDevice* const measured = device_.measured ? &*device_.measured : nullptr;
  const double t = measured != nullptr ? std::max(device_.time, measured->t0) : 0;
  const bool drifted = device_.drift == DriftModel::device && measured != nullptr && device_.time > measured->t0;
  if (drifted && measured->drift->distribution) {
    const DistributionDrift& drift = *measured->drift->distribution;
    const double moved = target + value_at(drift.times, drift.shift, device_, t, target);
    const double sigma = std::max(value_at(drift.times, drift.sigma, device_, t, moved), 0.0);
    return programmed = limited(moved + sigma * normal_draw(draws, index));
  }
  double g = target;
  const ErrorConfig& error = device_.programming_error;
  if (error.active()) {
    const double spread = error.model == ErrorModel::device
                              ? std::max(value_of(device_.measured->programming_error->sigma, device_, g), 0.0)
                              : spread_of(error, g);
    g = with_error(error, g, spread, draws, index);
    g = drifted ? std::max(g, 0.0) : limited(g);
  }
  programmed = g;
  if (!drifted) return g;
  const PowerLawDrift& drift = *measured->drift->power_law;
  const double z = normal_draw({streams.key(DrawPurpose::drift_exponent, plane), 0, 0}, index);
  const double nu = value_of(drift.mean, device_, target) + value_of(drift.sigma, device_, target) * z;
  return limited(g * std::pow(t / measured->t0, -std::max(nu, 0.0)));
}

bool ReferenceCell::dead(const LayerStreams& streams, int plane, std::uint64_t index) const {
  const auto below = [&](DrawPurpose purpose, int of, std::uint64_t line, double rate) {
    return 0.5 + uniform_draw({streams.key(purpose, of), 0, 0}, line) / std::sqrt(12.0) < rate;
  };
  const auto cols = static_cast<std::uint64_t>(cols_);
  return (device_.faults.dead_rows > 0 && below(DrawPurpose::dead_row, 0, index / cols, device_.faults.dead_rows)) ||
         (device_.faults.dead_columns > 0 &&
          below(DrawPurpose::dead_column, plane, index % cols, device_.faults.dead_columns));
}

double ReferenceCell::with_faults(double g, const LayerStreams& streams, int plane, std::uint64_t index) const {
  const FaultConfig& faults = device_.faults;
  if (dead(streams, plane, index)) return 0;
  if (faults.map) {
    const auto state = faults.map->states[(faults.map->planes > 1 && plane == 1 ? faults.map->states.size() / 2 : 0) +
                                          static_cast<std::size_t>(index)];
    if (state != 0) return state == 2 ? 1 : 1 / device_.on_off_ratio;
  }
  const double u = 0.5 + uniform_draw({streams.key(DrawPurpose::cell_fault, plane), 0, 0}, index) / std::sqrt(12.0);
  if (faults.stuck_off > 0 && u < faults.stuck_off) return 1 / device_.on_off_ratio;
  if (faults.stuck_on > 0 && u >= 1 - faults.stuck_on) return 1;
  return g;
}

double ReferenceCell::read_spread(double g, double programmed) const {
  if (device_.read_noise.model != ErrorModel::device) return spread_of(device_.read_noise, g);
  const MeasuredReadNoise& noise = *device_.measured->read_noise;
  if (!noise.t_read) return std::max(value_of(noise.sigma, device_, g), 0.0);
  const double t = std::max(device_.time, device_.measured->t0), read = *noise.t_read;
  return g * value_of(noise.sigma, device_, programmed) * std::sqrt(std::log((t + read) / (2 * read)));
}

ReferenceCell::Cell ReferenceCell::programmed(double target, const LayerStreams& streams, int plane,
                                              std::uint64_t index) const {
  double before_drift = 0;
  const double g = without_faults(target, streams, plane, index, before_drift);
  const double found = with_faults(g, streams, plane, index);
  const double spread = read_spread(found, with_faults(before_drift, streams, plane, index));
  return {found, dead(streams, plane, index) ? 0 : spread};
}

double ReferenceCell::nominal(double target, const LayerStreams& streams, int plane, std::uint64_t index) const {
  return with_faults(target, streams, plane, index);
}

double ReferenceCell::nonlinear_current(double g, double x) const {
  const double voltage = x * device_.read_voltage;
  if (device_.iv == IvModel::cubic) return -g * x * voltage * voltage / 4;
  if (device_.iv != IvModel::device || !device_.measured->current) return 0;
  double amperes = 0;
  for (const MeasuredCurrent::Term& term : device_.measured->current->terms) {
    const double siemens = g / device_.r_min;
    if (siemens < term.above || siemens == 0) continue;
    amperes += value_of(term.coefficient, device_, g) * std::pow(voltage, term.power);
  }
  return amperes * device_.r_min / device_.read_voltage;
}

double ReferenceCell::read(const Cell& cell, const DrawSequence& draws, std::uint64_t index) const {
  if (cell.spread == 0) return cell.g;
  return limited(with_error(device_.read_noise, cell.g, cell.spread, draws, index));
}

ReferenceCell::Moments ReferenceCell::moments(const Cell& cell) const {
  const double g = cell.g, s = cell.spread;
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
