#include "crossgrid/array/spice_netlist.hpp"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

namespace crossgrid {

std::string spice_netlist(const ArrayNetlist& netlist, const CellCurrent& law, double r_min, double read_voltage) {
  fmt::memory_buffer text;
  const auto say = [&]<class... Values>(fmt::format_string<Values...> form, Values&&... values) {
    fmt::format_to(std::back_inserter(text), form, std::forward<Values>(values)...);
  };
  const auto node = [&](int number) -> const std::string& {
    return netlist.nodes[static_cast<std::size_t>(number)].name;
  };
  say("* {} cells with wires, by crossgrid\n.options gmin=0 reltol=1e-9\n", netlist.cells.size());
  for (const ArrayNetlist::Node& held : netlist.nodes) {
    if (held.fixed) say("V{0} {0} 0 dc {1:.17g}\n", held.name, held.voltage * read_voltage);
  }
  for (const ArrayNetlist::Wire& wire : netlist.wires) {
    say("R{} {} {} {:.17g}\n", wire.name, node(wire.from), node(wire.to), wire.resistance * r_min);
  }
  for (const ArrayNetlist::Cell& cell : netlist.cells) {
    if (cell.conductance == 0) continue;
    std::string from = node(cell.from);
    if (cell.source != 0) {
      // A source in series: its + side is the cell's.
      const std::string inner = "inner_" + cell.name;
      say("V{0} {0} {1} dc {2:.17g}\n", inner, from, cell.source * read_voltage);
      from = inner;
    }
    if (law.count == 1 && law.terms[0].linear && law.terms[0].power == 1) {
      say("R{} {} {} {:.17g}\n", cell.name, from, node(cell.to), r_min / (law.terms[0].scale * cell.conductance));
      continue;
    }
    say("B{} {} {} i=", cell.name, from, node(cell.to));
    for (int k = 0; k < law.count; ++k) {
      const int power = law.terms[k].power;
      const double coefficient = law.terms[k].coefficient(cell.conductance) / r_min * std::pow(read_voltage, 1 - power);
      say("{}({:.17g})", k > 0 ? "+" : "", coefficient);
      for (int factor = 0; factor < power; ++factor) say("*v({},{})", from, node(cell.to));
    }
    say("\n");
  }
  say(".control\nset numdgt=15\nop\n");
  for (const int output : netlist.outputs) say("print i(v{})\n", node(output));
  say("quit\n.endc\n.end\n");
  return fmt::to_string(text);
}

}  // namespace crossgrid
