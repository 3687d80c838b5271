#include "crossgrid/array/nodal_circuit.hpp"

#include <cmath>
#include <utility>

#include "crossgrid/base/error.hpp"

namespace crossgrid {

NodalCircuit::NodalCircuit(ArrayNetlist netlist) : netlist_(std::move(netlist)) {
  for (const ArrayNetlist::Node& node : netlist_.nodes) unknown_.push_back(node.fixed ? -1 : unknowns_++);
  conductances_.resize(static_cast<Eigen::Index>(netlist_.cells.size()));
  for (Eigen::Index k = 0; k < conductances_.size(); ++k) {
    conductances_[k] = netlist_.cells[static_cast<std::size_t>(k)].conductance;
  }
  if (unknowns_ == 0) return;
  factor_.compute(node_matrix(conductances_));
  if (factor_.info() != Eigen::Success) throw Error(ExitCode::internal, "a circuit of wires could not be factored");
}

Eigen::SparseMatrix<double> NodalCircuit::node_matrix(const Eigen::VectorXd& conductances) const {
  std::vector<Eigen::Triplet<double>> entries;
  const auto join = [&](int from, int to, double conductance) {
    const int a = unknown_[static_cast<std::size_t>(from)], b = unknown_[static_cast<std::size_t>(to)];
    if (conductance == 0 || from == to) return;
    if (a >= 0) entries.emplace_back(a, a, conductance);
    if (b >= 0) entries.emplace_back(b, b, conductance);
    if (a >= 0 && b >= 0) entries.emplace_back(std::max(a, b), std::min(a, b), -conductance);
  };
  for (const ArrayNetlist::Wire& wire : netlist_.wires) join(wire.from, wire.to, 1 / wire.resistance);
  for (std::size_t k = 0; k < netlist_.cells.size(); ++k) {
    join(netlist_.cells[k].from, netlist_.cells[k].to, conductances[static_cast<Eigen::Index>(k)]);
  }
  Eigen::SparseMatrix<double> matrix(unknowns_, unknowns_);
  matrix.setFromTriplets(entries.begin(), entries.end());
  return matrix;
}

Eigen::VectorXd NodalCircuit::voltages(const Factor& factor, const Cells& cells, const Eigen::VectorXd& sources) const {
  Eigen::VectorXd all = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(netlist_.nodes.size()));
  for (std::size_t k = 0; k < netlist_.sources.size(); ++k)
    all[netlist_.sources[k]] = sources[static_cast<Eigen::Index>(k)];
  if (unknowns_ == 0) return all;
  Eigen::VectorXd into = Eigen::VectorXd::Zero(unknowns_);
  const auto drive = [&](int from, int to, double conductance, double beside) {
    const int a = unknown_[static_cast<std::size_t>(from)], b = unknown_[static_cast<std::size_t>(to)];
    if (a >= 0) into[a] += conductance * all[to] - beside;
    if (b >= 0) into[b] += conductance * all[from] + beside;
  };
  for (const ArrayNetlist::Wire& wire : netlist_.wires) drive(wire.from, wire.to, 1 / wire.resistance, 0);
  for (std::size_t k = 0; k < netlist_.cells.size(); ++k) {
    const auto at = static_cast<Eigen::Index>(k);
    const ArrayNetlist::Cell& cell = netlist_.cells[k];
    drive(cell.from, cell.to, cells.conductances[at], cells.conductances[at] * cell.source + cells.beside[at]);
  }
  const Eigen::VectorXd solved = factor.solve(into);
  for (std::size_t k = 0; k < unknown_.size(); ++k) {
    if (unknown_[k] >= 0) all[static_cast<Eigen::Index>(k)] = solved[unknown_[k]];
  }
  return all;
}

Eigen::VectorXd NodalCircuit::across(const Eigen::VectorXd& voltages) const {
  Eigen::VectorXd found(conductances_.size());
  for (std::size_t k = 0; k < netlist_.cells.size(); ++k) {
    const ArrayNetlist::Cell& cell = netlist_.cells[k];
    found[static_cast<Eigen::Index>(k)] = voltages[cell.from] + cell.source - voltages[cell.to];
  }
  return found;
}

Eigen::VectorXd NodalCircuit::into_outputs(const Eigen::VectorXd& voltages,
                                           const Eigen::VectorXd& cell_currents) const {
  Eigen::VectorXd into = Eigen::VectorXd::Zero(voltages.size());
  for (const ArrayNetlist::Wire& wire : netlist_.wires) {
    const double current = (voltages[wire.from] - voltages[wire.to]) / wire.resistance;
    into[wire.from] -= current, into[wire.to] += current;
  }
  for (std::size_t k = 0; k < netlist_.cells.size(); ++k) {
    into[netlist_.cells[k].to] += cell_currents[static_cast<Eigen::Index>(k)];
  }
  Eigen::VectorXd outputs(static_cast<Eigen::Index>(netlist_.outputs.size()));
  for (Eigen::Index j = 0; j < outputs.size(); ++j) outputs[j] = into[netlist_.outputs[static_cast<std::size_t>(j)]];
  return outputs;
}

Eigen::VectorXd NodalCircuit::currents(const Eigen::VectorXd& sources) const {
  const Eigen::VectorXd all = voltages(factor_, {conductances_, Eigen::VectorXd::Zero(conductances_.size())}, sources);
  return into_outputs(all, conductances_.cwiseProduct(across(all)));
}

Eigen::VectorXd NodalCircuit::own_sources() const {
  Eigen::VectorXd sources(static_cast<Eigen::Index>(netlist_.sources.size()));
  for (Eigen::Index k = 0; k < sources.size(); ++k) {
    sources[k] = netlist_.nodes[static_cast<std::size_t>(netlist_.sources[static_cast<std::size_t>(k)])].voltage;
  }
  return sources;
}

Eigen::VectorXd NodalCircuit::currents() const {
  return currents(own_sources());
}

Eigen::VectorXd NodalCircuit::first_order_currents(const Eigen::VectorXd& changes) const {
  const Eigen::VectorXd sources = own_sources(), none = Eigen::VectorXd::Zero(conductances_.size());
  const Eigen::VectorXd beside = changes.cwiseProduct(across(voltages(factor_, {conductances_, none}, sources)));
  const Eigen::VectorXd all = voltages(factor_, {conductances_, beside}, sources);
  return into_outputs(all, conductances_.cwiseProduct(across(all)) + beside);
}

Eigen::VectorXd NodalCircuit::nonlinear_currents(const CellLaw& law) const {
  constexpr double difference = 1e-6;  // of voltages up to 1
  const Eigen::VectorXd sources = own_sources();
  Cells cells{conductances_, Eigen::VectorXd::Zero(conductances_.size())};
  Eigen::VectorXd all = voltages(factor_, cells, sources);
  for (int step = 0; step < 50; ++step) {
    const Eigen::VectorXd v = across(all);
    Eigen::VectorXd carried(v.size());
    for (Eigen::Index k = 0; k < v.size(); ++k) {
      const auto cell = static_cast<std::size_t>(k);
      carried[k] = law(cell, v[k]);
      cells.conductances[k] = (law(cell, v[k] + difference) - law(cell, v[k] - difference)) / (2 * difference);
      cells.beside[k] = carried[k] - cells.conductances[k] * v[k];
    }
    if (unknowns_ == 0) return into_outputs(all, carried);
    Factor factor(node_matrix(cells.conductances));
    if (factor.info() != Eigen::Success) throw Error(ExitCode::internal, "a nonlinear circuit could not be factored");
    const Eigen::VectorXd next = voltages(factor, cells, sources);
    const double change = (next - all).cwiseAbs().maxCoeff();
    all = next;
    if (change <= 1e-13 * all.cwiseAbs().maxCoeff()) {
      const Eigen::VectorXd last = across(all);
      for (Eigen::Index k = 0; k < last.size(); ++k) carried[k] = law(static_cast<std::size_t>(k), last[k]);
      return into_outputs(all, carried);
    }
  }
  throw Error(ExitCode::internal, "a nonlinear circuit of wires did not converge");
}

}  // namespace crossgrid
