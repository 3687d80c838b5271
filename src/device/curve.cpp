#include "crossgrid/device/curve.hpp"

#include <algorithm>

namespace crossgrid {

CurveView Curve::view(double g_max, double voltage) const {
  const auto unit_of = [&](Quantity quantity) {
    return quantity == Quantity::conductance ? g_max : quantity == Quantity::current ? g_max * voltage : 1.0;
  };
  CurveView view;
  view.law = law;
  view.parameters = parameters.data();
  view.points = points.data();
  view.count = parameters.size();
  view.low = low, view.high = high;
  // A number's argument is the normalised conductance itself.
  view.argument_scale = unit_of(argument) / argument_unit;
  view.argument_log10 = argument_log10;
  view.value_scale = value_unit / unit_of(value);
  return view;
}

Curve curve_at_time(std::span<const double> times, std::span<const Curve> curves, double t) {
  if (times.size() == 1) return curves.front();
  const auto above = std::upper_bound(times.begin() + 1, times.end() - 1, t);
  const auto k = static_cast<std::size_t>(above - times.begin()) - 1;
  const double part = (t - times[k]) / (times[k + 1] - times[k]);
  Curve curve = curves[k];
  for (std::size_t i = 0; i < curve.parameters.size(); ++i) {
    curve.parameters[i] += part * (curves[k + 1].parameters[i] - curve.parameters[i]);
  }
  return curve;
}

}  // namespace crossgrid
