#pragma once

#include <fmt/format.h>

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

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

constexpr double solved_enough = 1e-13;  // of the largest current
constexpr double solved_nearly = 1e-11;  // where rounding leaves more

/// How far the current that the wires carry in a cell is from what its law says, at most.
inline double residual(const NonlinearCells& cells, const CellState& at) {
  double worst = 0;
  for (Eigen::Index k = 0; k < at.voltages.size(); ++k) {
    worst = std::max(worst, std::abs(cells.current(k, at.voltages[k]) - at.currents[k]));
  }
  return worst;
}

/// Several MVMs by steps of one and the same linear array (a chord in place of the tangents): solve(beside) solves it
/// with currents beside the cells, one MVM per column. Goes on while every step leaves at most a quarter of the
/// residual; true where that led to a solution. An MVM's steps don't depend on the others.
template <class Solve>
std::vector<bool> chord(const std::vector<NonlinearCells>& cells, std::vector<CellState>& states, const Solve& solve) {
  const std::size_t count = states.size();
  MatrixD beside = MatrixD::Zero(states.front().voltages.size(), static_cast<Eigen::Index>(count));
  std::vector<bool> solved(count, false), open(count, true);
  std::vector<double> left(count, std::numeric_limits<double>::infinity());
  for (;;) {
    bool any = false;
    for (std::size_t k = 0; k < count; ++k) {
      if (!open[k]) continue;
      const double now = residual(cells[k], states[k]);
      solved[k] = now <= solved_enough * states[k].currents.cwiseAbs().maxCoeff();
      // Not of what is NaN: comparisons leave nothing of it in the residual.
      open[k] = !solved[k] && now > 0 && now <= left[k] / 4;
      left[k] = now;
      if (!open[k]) continue;
      any = true;
      for (Eigen::Index cell = 0; cell < beside.rows(); ++cell) {
        const double v = states[k].voltages[cell];
        beside(cell, static_cast<Eigen::Index>(k)) = cells[k].current(cell, v) - cells[k].conductances[cell] * v;
      }
    }
    if (!any) return solved;
    const std::vector<CellState> next = solve(beside);
    for (std::size_t k = 0; k < count; ++k) {
      if (open[k]) states[k] = next[k];
    }
  }
}

/// Newton's method (physics.md section 5). linear(slopes, beside) solves the array with cells that carry slope *
/// voltage
/// + beside; `state` is a solution with linear cells, to begin with. Both are consistent with the wires at every step,
/// so the residual() is all that is wrong. A step that does not lower it is halved.
/// Error(bad_input) with the residual where that does not help.
template <class Linear>
CellState newton(const NonlinearCells& cells, CellState state, const Linear& linear) {
  constexpr int most_steps = 60, most_halvings = 30;
  const Eigen::Index count = state.voltages.size();
  double left = residual(cells, state);
  for (int step = 0; step < most_steps; ++step) {
    const double scale = state.currents.cwiseAbs().maxCoeff();
    if (!(left > solved_enough * scale)) return state;
    Eigen::VectorXd slopes(count), beside(count);
    for (Eigen::Index k = 0; k < count; ++k) {
      slopes[k] = cells.slope(k, state.voltages[k]);
      beside[k] = cells.current(k, state.voltages[k]) - slopes[k] * state.voltages[k];
    }
    const CellState full = linear(slopes, beside);
    double share = 1;
    CellState next = full;
    double after = residual(cells, next);
    for (int halving = 0; !(after < left) && halving < most_halvings; ++halving) {
      share /= 2;
      next.voltages = state.voltages + share * (full.voltages - state.voltages);
      next.currents = state.currents + share * (full.currents - state.currents);
      after = residual(cells, next);
    }
    if (!(after < left)) {
      if (left <= solved_nearly * scale) return state;
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
