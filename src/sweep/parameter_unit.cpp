#include "crossgrid/sweep/parameter_unit.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace crossgrid {

namespace {

/// As docs/sweep-file.md has them; a test holds both together.
constexpr std::pair<std::string_view, std::string_view> units[] = {
    {"core.weight_bits", "bit"},
    {"core.bias_rows", "rows"},
    {"array.rows_max", "cells"},
    {"array.cols_max", "cells"},
    {"array.rows_active", "rows"},
    {"array.column_current_max", "cell currents"},
    {"array.wires.r_row", "ohm"},
    {"array.wires.r_col", "ohm"},
    {"array.wires.r_row_end", "ohm"},
    {"array.wires.r_col_end", "ohm"},
    {"device.r_min", "ohm"},
    {"device.read_voltage", "V"},
    {"device.time", "s"},
    {"device.cell_bits", "bit"},
    {"device.levels", "of Gmax"},
    {"dac.bits", "bit"},
    {"dac.range", "the layer's input units"},
    {"dac.slice_bits", "bit"},
    {"adc.bits", "bit"},
    {"adc.range", "cell currents at full conductance and input"},
    {"adc.group", "columns"},
    {"adc.sigma_capacitor", "of the unit"},
    {"adc.sigma_c1", "of C1"},
    {"adc.sigma_c2", "of C1"},
    {"adc.sigma_cpar", "of C1"},
    {"adc.sigma_comparator", "of the larger end of the range"},
    {"adc.gain_db", "dB"},
    {"adc.levels", "fraction of the range"},
    {"adc.table", "cell currents"},
    {"window.x", "windows"},
    {"window.y", "windows"},
};

}  // namespace

std::string parameter_unit(std::string_view path) {
  path = path.substr(0, path.find('@'));
  const auto found =
      std::find_if(std::begin(units), std::end(units), [&](const auto& unit) { return unit.first == path; });
  return found == std::end(units) ? "" : std::string(found->second);
}

}  // namespace crossgrid
