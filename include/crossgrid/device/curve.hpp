#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "crossgrid/base/exponential.hpp"
#include "crossgrid/base/host_device.hpp"
#include "crossgrid/base/rounding.hpp"

/// One number as a function of another: how a device file says sigma(G), a drift or a coefficient. In double and
/// without libm: the same bits everywhere.
namespace crossgrid {

enum class CurveLaw {
  polynomial,              ///< ascending coefficients
  table,                   ///< linear between the points, constant beyond the ends
  levels,                  ///< the value of the nearest point, ties to the lower one
  saturating_exponential,  ///< a (1 - exp(-x / b))
  logarithmic,             ///< a ln x + b
  power                    ///< a x^b
};

/// A curve as a cell's conductance sees it: argument and value normalised, data not owned.
struct CurveView {
  /// What x is at least in logarithms and powers: a cell of no conductance has no logarithm.
  static constexpr double smallest_argument = 1e-7;

  CurveLaw law = CurveLaw::polynomial;
  const double* parameters = nullptr;  ///< coefficients; values at points; a, b
  const double* points = nullptr;      ///< ascending
  std::size_t count = 0;
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
  double argument_scale = 1;  ///< of the normalised conductance
  bool argument_log10 = false;
  double value_scale = 1;

  CROSSGRID_HD_INLINE double operator()(double g) const {
    double x = g * argument_scale;
    if (argument_log10) x = portable_log(limited_below(x, smallest)) * 0.4342944819032518;
    return limited(value(x), low, high) * value_scale;
  }

 private:
  static constexpr double smallest = 2.2250738585072014e-308;  ///< normal number

  CROSSGRID_HD_INLINE static double limited_below(double x, double least) { return x > least ? x : least; }
  /// e^x for any x that does not overflow.
  CROSSGRID_HD_INLINE static double exponential(double x) { return x > 0 ? 1 / portable_exp(-x) : portable_exp(x); }

  CROSSGRID_HD_INLINE double value(double x) const {
    switch (law) {
      case CurveLaw::polynomial:
        return polynomial(x);
      case CurveLaw::table:
        return between_points(x);
      case CurveLaw::levels:
        return nearest_point(x);
      case CurveLaw::saturating_exponential:
        return parameters[0] * (1 - exponential(-x / parameters[1]));
      case CurveLaw::logarithmic:
        return fused(parameters[0], portable_log(limited_below(x, smallest_argument)), parameters[1]);
      case CurveLaw::power:
        return parameters[0] * exponential(parameters[1] * portable_log(limited_below(x, smallest_argument)));
    }
    return 0;
  }
  CROSSGRID_HD_INLINE double polynomial(double x) const {
    double sum = 0;
    for (std::size_t k = count; k-- > 0;) sum = fused(sum, x, parameters[k]);
    return sum;
  }
  /// The last point that is not above x, at most the last but one.
  CROSSGRID_HD_INLINE std::size_t segment(double x) const {
    std::size_t first = 0, last = count - 1;
    while (last - first > 1) {
      const std::size_t middle = first + (last - first) / 2;
      (points[middle] <= x ? first : last) = middle;
    }
    return first;
  }
  CROSSGRID_HD_INLINE double between_points(double x) const {
    if (count == 1) return parameters[0];
    const std::size_t k = segment(x);
    const double part = limited((x - points[k]) / (points[k + 1] - points[k]), 0.0, 1.0);
    return fused(part, parameters[k + 1] - parameters[k], parameters[k]);
  }
  CROSSGRID_HD_INLINE double nearest_point(double x) const {
    if (count == 1) return parameters[0];
    const std::size_t k = segment(x);
    return x - points[k] > points[k + 1] - x ? parameters[k + 1] : parameters[k];
  }
};

/// A curve with its units. Conductances are in siemens, currents in amperes before the units divide them.
struct Curve {
  enum class Quantity { number, conductance, current };

  CurveLaw law = CurveLaw::polynomial;
  std::vector<double> parameters;  ///< as CurveView's
  std::vector<double> points;
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();  ///< of values
  Quantity argument = Quantity::conductance;
  double argument_unit = 1;     ///< what an argument of 1 stands for, in SI units
  bool argument_log10 = false;  ///< the argument is the logarithm of the quantity over its unit
  Quantity value = Quantity::conductance;
  double value_unit = 1;

  /// Over conductances normalised by `g_max` [S], read with `voltage` [V]: currents are g times both. Values that are
  /// conductances or currents come out normalised, numbers as they are. The view lives as long as the curve.
  CurveView view(double g_max, double voltage) const;
  bool operator==(const Curve&) const = default;
};

/// The curve at time t from curves of one law at ascending times: parameters linear in t, between and beyond.
Curve curve_at_time(std::span<const double> times, std::span<const Curve> curves, double t);

}  // namespace crossgrid
