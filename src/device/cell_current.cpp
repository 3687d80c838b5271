#include "crossgrid/device/cell_current.hpp"

#include "crossgrid/base/error.hpp"

namespace crossgrid {
namespace {

double raised(double x, int power) {
  double product = 1;
  for (int k = 0; k < power; ++k) product *= x;
  return product;
}

}  // namespace

CellCurrent make_cell_current(const DeviceConfig& device) {
  CellCurrent current;
  current.terms[0] = {.power = 1, .scale = 1, .linear = true};
  const double voltage = device.read_voltage, g_max = device.g_max();
  if (device.iv == IvModel::cubic) {
    // I = G0 (V - V^3/4).
    current.terms[1] = {.power = 3, .scale = -voltage * voltage / 4, .linear = true};
    current.count = 2;
  } else if (device.iv == IvModel::device && device.measured && device.measured->current) {
    for (const MeasuredCurrent::Term& term : device.measured->current->terms) {
      if (current.count == CellCurrent::most_terms) {
        throw Error(ExitCode::internal, "a device's current has more terms than a cell can hold");
      }
      // A coefficient is a number; a normalised one is N_p V^(p-1) / Gmax.
      current.terms[current.count++] = {.power = term.power,
                                        .curve = term.coefficient.view(g_max, voltage),
                                        .scale = raised(voltage, term.power - 1) / g_max,
                                        .above = term.above / g_max};
    }
  }
  return current;
}

}  // namespace crossgrid
