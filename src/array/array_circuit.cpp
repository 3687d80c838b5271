#include "crossgrid/array/array_circuit.hpp"

#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "newton.hpp"

namespace crossgrid {
namespace {

Eigen::VectorXd flat(const MatrixD& matrix) {
  return matrix.reshaped<Eigen::RowMajor>();
}
MatrixD shaped(const Eigen::VectorXd& values, const MatrixD& like) {
  return values.reshaped<Eigen::RowMajor>(like.rows(), like.cols());
}

/// Both sides' cells in one vector.
Eigen::VectorXd joined(const MatrixD& plus, const MatrixD& minus) {
  Eigen::VectorXd all(plus.size() + minus.size());
  all << flat(plus), flat(minus);
  return all;
}

}  // namespace

ArrayCircuit::ArrayCircuit(MatrixD plus, MatrixD minus, const CircuitConfig& config, const DeviceConfig& device,
                           const ParallelLoop& loop)
    : plus_(std::move(plus)),
      minus_(std::move(minus)),
      config_(config),
      device_(device),
      law_(make_cell_current(device_)) {
  if (config_.source == WireSource::separate) {
    gated_ = gated_cells(plus_, minus_, config_.wires, config_.unused_rows, config_.used_rows);
  } else {
    circuit_.emplace(wired(plus_, minus_), loop);
  }
}

MatrixD ArrayCircuit::currents(const MatrixD& inputs, std::span<const CellReads> reads) const {
  if (!config_.pulses) return pattern_currents(inputs, reads);
  MatrixD currents(plus_.cols(), inputs.cols());
  for (Eigen::Index k = 0; k < inputs.cols(); ++k) {
    const auto own = reads.empty() ? reads : reads.subspan(static_cast<std::size_t>(k), 1);
    currents.col(k) = pulse_currents(inputs.col(k), own);
  }
  return currents;
}

Eigen::VectorXd ArrayCircuit::pulse_currents(const Eigen::VectorXd& inputs, std::span<const CellReads> reads) const {
  if (inputs.hasNaN()) return Eigen::VectorXd::Constant(plus_.cols(), std::numeric_limits<double>::quiet_NaN());
  // Between two lengths that occur the pattern does not change.
  std::set<double> lengths;
  for (const double x : inputs) lengths.insert(std::abs(x));
  lengths.erase(0);
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(plus_.cols());
  double before = 0;
  for (const double length : lengths) {
    const Eigen::VectorXd pattern =
        inputs.unaryExpr([&](double x) { return std::abs(x) >= length ? std::copysign(1.0, x) : 0.0; });
    sum += (length - before) * pattern_currents(pattern, reads);
    before = length;
  }
  return sum;
}

MatrixD ArrayCircuit::pattern_currents(const MatrixD& inputs, std::span<const CellReads> reads) const {
  if (config_.source == WireSource::input) return driven_currents(inputs, reads);
  MatrixD currents(plus_.cols(), inputs.cols());
  for (Eigen::Index k = 0; k < inputs.cols(); ++k) {
    currents.col(k) = gated_currents_of(inputs.col(k), reads.empty() ? nullptr : &reads[static_cast<std::size_t>(k)]);
  }
  return currents;
}

Eigen::VectorXd ArrayCircuit::gated_currents_of(const Eigen::VectorXd& gates, const CellReads* reads) const {
  if (!nonlinear()) {
    if (reads == nullptr) return gated_currents(gated_, gates);
    return gated_currents({reads->plus, reads->minus, gated_.supply_segments, gated_.bit_segments}, gates);
  }
  const CellState cells = gated_cells_state(gates, reads);
  Eigen::VectorXd currents = shaped(cells.currents.head(plus_.size()), plus_).colwise().sum();
  if (minus_.size() > 0) currents += shaped(cells.currents.tail(minus_.size()), minus_).colwise().sum().transpose();
  return currents;
}

CellState ArrayCircuit::gated_cells_state(const Eigen::VectorXd& gates, const CellReads* reads) const {
  // Cells that are cut off carry nothing, whatever their law says at 0 V.
  const auto cut = [&](MatrixD cells) {
    for (Eigen::Index i = 0; i < cells.rows(); ++i) {
      if (gates[i] == 0) cells.row(i).setZero();
    }
    return cells;
  };
  const auto state_of = [&](const GatedState& state) {
    return CellState{joined(state.plus_voltages, state.minus_voltages),
                     joined(state.plus_currents, state.minus_currents)};
  };
  CellState programmed = state_of(gated_state(gated_, gates));
  if (!nonlinear()) return programmed;
  const Eigen::VectorXd conductances = joined(cut(plus_), cut(minus_));
  Eigen::VectorXd noise;
  if (reads != nullptr) noise = joined(cut(reads->plus), cut(reads->minus)) - conductances;
  return newton(
      {law_, conductances, noise}, programmed, [&](const Eigen::VectorXd& slopes, const Eigen::VectorXd& beside) {
        const auto plus = [&](const Eigen::VectorXd& all) { return shaped(all.head(plus_.size()), plus_); };
        const auto minus = [&](const Eigen::VectorXd& all) { return shaped(all.tail(minus_.size()), minus_); };
        const GatedCells linear{plus(slopes), minus(slopes), gated_.supply_segments, gated_.bit_segments};
        return state_of(gated_state(linear, gates, plus(beside), minus(beside)));
      });
}

MatrixD ArrayCircuit::drivers(const MatrixD& inputs) const {
  if (minus_.size() == 0) return inputs;
  MatrixD lines(2 * inputs.rows(), inputs.cols());
  for (Eigen::Index i = 0; i < inputs.rows(); ++i)
    lines.row(2 * i) = inputs.row(i), lines.row(2 * i + 1) = -inputs.row(i);
  return lines;
}

WiredCells ArrayCircuit::wired(const MatrixD& plus, const MatrixD& minus) const {
  return minus.size() > 0 ? interleaved_cells(plus, minus, config_.wires) : wired_cells(plus, config_.wires);
}

MatrixD ArrayCircuit::driven_currents(const MatrixD& inputs, std::span<const CellReads> reads) const {
  MatrixD currents(plus_.cols(), inputs.cols());
  if (nonlinear()) {
    const std::vector<CellState> states = driven_cells_states(inputs, reads);
    for (Eigen::Index k = 0; k < inputs.cols(); ++k) {
      currents.col(k) = shaped(states[static_cast<std::size_t>(k)].currents, circuit_->array().cells).colwise().sum();
    }
    return currents;
  }
  const MatrixD lines = drivers(inputs);
  if (reads.empty()) return circuit_->adc_currents({lines, {}, {}});
  if (config_.noise == WireNoise::exact) {
    for (Eigen::Index k = 0; k < inputs.cols(); ++k) {
      const CellReads& read = reads[static_cast<std::size_t>(k)];
      currents.col(k) = transfer_matrix(wired(read.plus, read.minus)) * lines.col(k);
    }
    return currents;
  }
  // What each cell conducts more acts like a current beside it, at the voltage that it has without.
  MatrixD beside = circuit_->solve({lines, {}, {}}).cell_voltages;
  const Eigen::VectorXd programmed = flat(circuit_->array().cells);
  for (Eigen::Index k = 0; k < inputs.cols(); ++k) {
    const CellReads& read = reads[static_cast<std::size_t>(k)];
    beside.col(k).array() *= (flat(wired(read.plus, read.minus).cells) - programmed).array();
  }
  return circuit_->adc_currents({lines, {}, beside});
}

std::vector<CellState> ArrayCircuit::driven_cells_states(const MatrixD& inputs,
                                                         std::span<const CellReads> reads) const {
  const MatrixD lines = drivers(inputs);
  const WiredCells& array = circuit_->array();
  const Eigen::VectorXd conductances = flat(array.cells);
  const auto count = static_cast<std::size_t>(inputs.cols());
  const WiredCircuit::Response programmed = circuit_->solve({lines, {}, {}});
  std::vector<CellState> states;
  std::vector<Eigen::VectorXd> noise(count);
  std::vector<NonlinearCells> cells;
  for (std::size_t k = 0; k < count; ++k) {
    const auto column = static_cast<Eigen::Index>(k);
    states.push_back({programmed.cell_voltages.col(column), programmed.cell_currents.col(column)});
    if (!reads.empty()) noise[k] = flat(wired(reads[k].plus, reads[k].minus).cells) - conductances;
    cells.push_back({law_, conductances, noise[k]});
  }
  if (!nonlinear()) return states;
  // Where currents bend little, the array as it was solved is good enough for every step, of all MVMs at once.
  const std::vector<bool> solved = chord(cells, states, [&](const MatrixD& beside) {
    const WiredCircuit::Response response = circuit_->solve({lines, {}, beside});
    std::vector<CellState> found;
    for (Eigen::Index k = 0; k < beside.cols(); ++k) {
      found.push_back({response.cell_voltages.col(k), response.cell_currents.col(k)});
    }
    return found;
  });
  for (std::size_t k = 0; k < count; ++k) {
    if (solved[k]) continue;
    const MatrixD own = lines.col(static_cast<Eigen::Index>(k));
    states[k] = newton(cells[k], states[k], [&](const Eigen::VectorXd& slopes, const Eigen::VectorXd& beside) {
      const WiredCircuit linear({shaped(slopes, array.cells), array.row_segments, array.col_segments});
      const WiredCircuit::Response response = linear.solve({own, {}, beside});
      return CellState{response.cell_voltages.col(0), response.cell_currents.col(0)};
    });
  }
  return states;
}

CircuitState ArrayCircuit::state(const Eigen::VectorXd& inputs) const {
  const bool pairs = minus_.size() > 0, is_gated = config_.source == WireSource::separate;
  CircuitState state;
  state.column_currents = pattern_currents(inputs, {});
  MatrixD plus_sources = MatrixD::Zero(plus_.rows(), plus_.cols());  // in series with the cells
  if (is_gated) {
    const CellState cells = gated_cells_state(inputs, nullptr);
    state.plus_currents = shaped(cells.currents.head(plus_.size()), plus_);
    state.minus_currents = shaped(cells.currents.tail(minus_.size()), minus_);
    // Down the supply lines: what flows there is what all cells below take.
    const auto line = [&](const MatrixD& currents, double source) {
      MatrixD flowing = currents, voltages(currents.rows(), currents.cols());
      for (Eigen::Index i = currents.rows() - 1; i-- > 0;) flowing.row(i) += flowing.row(i + 1);
      Eigen::RowVectorXd voltage = Eigen::RowVectorXd::Constant(currents.cols(), source);
      for (Eigen::Index i = 0; i < currents.rows(); ++i) {
        voltage -= gated_.supply_segments[static_cast<std::size_t>(i)] * flowing.row(i);
        voltages.row(i) = voltage;
      }
      return voltages;
    };
    state.plus_line_voltages = line(state.plus_currents, 1);
    if (pairs) state.minus_line_voltages = line(state.minus_currents, -1);
    plus_sources.colwise() = inputs - Eigen::VectorXd::Ones(inputs.size());
  } else {
    const WiredCells& array = circuit_->array();
    const CellState cells = driven_cells_states(inputs, {}).front();
    const ArrayState all = array_state(array, drivers(inputs), shaped(cells.currents, array.cells));
    const auto lines_of = [&](const MatrixD& values, Eigen::Index first) {
      return MatrixD(values(Eigen::seqN(first, plus_.rows(), pairs ? 2 : 1), Eigen::all));
    };
    state.plus_currents = lines_of(all.cell_currents, 0), state.plus_line_voltages = lines_of(all.word_voltages, 0);
    if (pairs) {
      state.minus_currents = lines_of(all.cell_currents, 1);
      state.minus_line_voltages = lines_of(all.word_voltages, 1);
    }
  }
  state.bit_currents = state.plus_currents;
  if (pairs) state.bit_currents += state.minus_currents;
  for (Eigen::Index i = 1; i < plus_.rows(); ++i) state.bit_currents.row(i) += state.bit_currents.row(i - 1);
  state.bit_voltages.resize(plus_.rows(), plus_.cols());
  Eigen::RowVectorXd voltage = Eigen::RowVectorXd::Zero(plus_.cols());
  for (Eigen::Index i = plus_.rows(); i-- > 0;) {
    const double end = i + 1 == plus_.rows() ? config_.wires.col_end : 0;
    const double segment = is_gated ? gated_.bit_segments[static_cast<std::size_t>(i)] : config_.wires.col + end;
    voltage += segment * state.bit_currents.row(i);
    state.bit_voltages.row(i) = voltage;
  }

  double largest = state.bit_currents.cwiseAbs().maxCoeff(), off = 0;
  const auto add_side = [&](const MatrixD& cells, const MatrixD& lines, const MatrixD& currents, double sign) {
    for (Eigen::Index i = 0; i < cells.rows(); ++i) {
      state.power += sign * inputs[i] * currents.row(i).sum();
      for (Eigen::Index j = 0; j < cells.cols(); ++j) {
        largest = std::max(largest, std::abs(currents(i, j)));
        if (is_gated && inputs[i] == 0) continue;
        const double v = lines(i, j) + sign * plus_sources(i, j) - state.bit_voltages(i, j);
        off = std::max(off, std::abs(law_(cells(i, j), v) - currents(i, j)));
      }
    }
  };
  add_side(plus_, state.plus_line_voltages, state.plus_currents, 1);
  if (pairs) add_side(minus_, state.minus_line_voltages, state.minus_currents, -1);
  if (largest > 0) {
    const Eigen::VectorXd sums = state.bit_currents.bottomRows(1).transpose();
    state.kirchhoff_residual = (sums - state.column_currents).cwiseAbs().maxCoeff() / largest;
    state.ohm_residual = off / largest;
  }
  return state;
}

ArrayNetlist ArrayCircuit::netlist(const Eigen::VectorXd& inputs) const {
  return config_.source == WireSource::separate ? netlist_of(gated_, inputs)
                                                : netlist_of(wired(plus_, minus_), drivers(inputs));
}

}  // namespace crossgrid
