#pragma once

#include <fmt/format.h>

#include <Eigen/Core>
#include <algorithm>

#include "crossgrid/array/array_circuit.hpp"
#include "crossgrid/base/error.hpp"
#include "crossgrid/device/cell_current.hpp"

namespace crossgrid {

/// Cells between wires, one entry each.
struct NonlinearCells {
  const CellCurrent& law;
  const Eigen::VectorXd& conductances;  ///< as programmed
  /// Conductance beside the law's: of this read's noise, which is linear as it is without wires. Empty: none.
  const Eigen::VectorXd& noise;

  double current(Eigen::Index k, double v) const {
    return law(conductances[k], v) + (noise.size() > 0 ? noise[k] * v : 0);
  }
  double slope(Eigen::Index k, double v) const {
    return law.slope(conductances[k], v) + (noise.size() > 0 ? noise[k] : 0);
  }
};

/// Newton's method (physics.md section 5). linear(slopes, beside) solves the array with cells that carry slope *
/// voltage
/// + beside; `state` is a solution with linear cells, to begin with. Both are consistent with the wires at every step,
/// so the residual is how far the wires' current in a cell is from its law. A step that does not lower it is halved.
/// Error(bad_input) with the residual where that does not help.
template <class Linear>
CellState newton(const NonlinearCells& cells, CellState state, const Linear& linear) {
  constexpr int most_steps = 60, most_halvings = 30;
  constexpr double enough = 1e-13, nearly = 1e-11;  // of the largest current; rounding may leave more than `enough`
  const Eigen::Index count = state.voltages.size();
  const auto residual = [&](const CellState& at) {
    double worst = 0;
    for (Eigen::Index k = 0; k < count; ++k) {
      worst = std::max(worst, std::abs(cells.current(k, at.voltages[k]) - at.currents[k]));
    }
    return worst;
  };
  double left = residual(state);
  for (int step = 0; step < most_steps; ++step) {
    const double scale = state.currents.cwiseAbs().maxCoeff();
    if (!(left > enough * scale)) return state;
    Eigen::VectorXd slopes(count), beside(count);
    for (Eigen::Index k = 0; k < count; ++k) {
      slopes[k] = cells.slope(k, state.voltages[k]);
      beside[k] = cells.current(k, state.voltages[k]) - slopes[k] * state.voltages[k];
    }
    const CellState full = linear(slopes, beside);
    double share = 1;
    CellState next = full;
    double after = residual(next);
    for (int halving = 0; !(after < left) && halving < most_halvings; ++halving) {
      share /= 2;
      next.voltages = state.voltages + share * (full.voltages - state.voltages);
      next.currents = state.currents + share * (full.currents - state.currents);
      after = residual(next);
    }
    if (!(after < left)) {
      if (left <= nearly * scale) return state;
      break;
    }
    state = std::move(next), left = after;
  }
  throw Error(
      ExitCode::bad_input,
      fmt::format("an array with wires and nonlinear cells could not be solved: Newton's method leaves {:.2g} of "
                  "the largest cell current (device.iv, device.read_voltage, array.wires)",
                  left / std::max(state.currents.cwiseAbs().maxCoeff(), 1e-300)));
}

}  // namespace crossgrid
