#pragma once

#include <cstddef>

#include "crossgrid/base/host_device.hpp"
#include "crossgrid/base/rounding.hpp"
#include "crossgrid/device/curve.hpp"
#include "crossgrid/device/device_config.hpp"

/// Current of a cell over its voltage (physics.md section 4), normalised: conductances by Gmax, voltages by the read
/// voltage, currents by Gmax times it. In a voltage x the current is a sum of powers, I = sum_p c_p(g) x^p; x is
/// signed, in even powers too.
namespace crossgrid {

/// One power of a cell's current.
struct CurrentTerm {
  int power = 1;
  CurveView curve = {};  ///< c_p(g) = scale * curve(g)
  double scale = 0;
  double above = 0;     ///< conductance below which the term is 0, normalised
  bool linear = false;  ///< c_p(g) = scale * g instead

  CROSSGRID_HD_INLINE double coefficient(double g) const {
    if (linear) return scale * g;
    return g < above || !(g > 0) ? 0.0 : scale * curve(g);
  }
};

/// The current of one cell: what wires' solvers and references ask for.
struct CellCurrent {
  static constexpr int most_terms = 4;
  CurrentTerm terms[most_terms];
  int count = 1;

  CROSSGRID_HD_INLINE double operator()(double g, double x) const {
    double sum = 0;
    for (int k = 0; k < count; ++k) sum = fused(terms[k].coefficient(g), raised(x, terms[k].power), sum);
    return sum;
  }
  /// dI/dx, for Newton's method.
  CROSSGRID_HD_INLINE double slope(double g, double x) const {
    double sum = 0;
    for (int k = 0; k < count; ++k) {
      sum = fused(terms[k].coefficient(g) * terms[k].power, raised(x, terms[k].power - 1), sum);
    }
    return sum;
  }

 private:
  CROSSGRID_HD_INLINE static double raised(double x, int power) {
    double product = 1;
    for (int k = 0; k < power; ++k) product *= x;
    return product;
  }
};

/// Element i: a cell's coefficient of one power (for_each_index, kernels/launch.cuh).
struct CoefficientOfCell {
  const float* cells;
  float* coefficients;
  CurrentTerm term;

  CROSSGRID_HD_INLINE void operator()(std::size_t i) const {
    coefficients[i] = static_cast<float>(term.coefficient(static_cast<double>(cells[i])));
  }
};

/// As device.iv.model says. The device's curves must outlive it.
CellCurrent make_cell_current(const DeviceConfig& device);
CellCurrent make_cell_current(DeviceConfig&&) = delete;

}  // namespace crossgrid
