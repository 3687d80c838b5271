#pragma once

#include <string>

#include "crossgrid/array/array_netlist.hpp"
#include "crossgrid/device/cell_current.hpp"

namespace crossgrid {

/// The circuit for SPICE, in ohms, volts and amperes: r_min is what a cell at Gmax has [ohm], read_voltage what 1
/// stands for [V]. Ends in commands that print the current of each output, i(vout0), ..., with 15 digits (ngspice -b
/// FILE). Cells that conduct nothing are left out; nonlinear ones are sources of the sum of powers that `law` gives.
std::string spice_netlist(const ArrayNetlist& netlist, const CellCurrent& law, double r_min, double read_voltage);

}  // namespace crossgrid
