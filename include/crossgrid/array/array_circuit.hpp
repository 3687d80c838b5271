#pragma once

#include <Eigen/Core>
#include <optional>
#include <span>
#include <vector>

#include "crossgrid/array/array_netlist.hpp"
#include "crossgrid/array/gated_array.hpp"
#include "crossgrid/array/wired_circuit.hpp"
#include "crossgrid/device/cell_current.hpp"
#include "crossgrid/device/device_config.hpp"

namespace crossgrid {

/// How an array with wires is driven, where every MVM is a circuit of its own.
struct CircuitConfig {
  WireResistance wires;
  WireSource source = WireSource::input;
  UsedRows used_rows = UsedRows::top;
  Eigen::Index unused_rows = 0;  ///< of the array; separate source only
  bool pulses = false;           ///< an input is the time for which its row is driven at full voltage
  WireNoise noise = WireNoise::first_order;
};

/// Voltages across cells and the currents that the wires carry there.
struct CellState {
  Eigen::VectorXd voltages, currents;
};

/// Cells as one MVM reads them; rows x cols, `minus` empty where there are none.
struct CellReads {
  MatrixD plus, minus;
};

/// What is in an array that was solved. Matrices are rows x cols, `minus` ones of interleaved pairs only.
struct CircuitState {
  Eigen::VectorXd column_currents;  ///< into the ADCs
  /// Nodes of the lines that the cells' currents come from: word lines, or supply lines with their source at 1 (of the
  /// - cells: -1).
  MatrixD plus_line_voltages, minus_line_voltages;
  MatrixD bit_voltages;                   ///< nodes of the bit lines
  MatrixD plus_currents, minus_currents;  ///< of the cells
  MatrixD bit_currents;                   ///< in the bit lines' segments below each cell
  double power = 0;                       ///< that the sources deliver
  /// Kirchhoff: what the columns' currents, solved for by themselves, differ from the sum of their cells', over the
  /// largest of all currents. Ohm: how far a cell's current is from what it carries at the voltage that its lines leave
  /// it, over the same.
  double kirchhoff_residual = 0, ohm_residual = 0;
};

/// An array with wires whose currents no transfer matrix gives: gated cells, nonlinear cells, cells that are read with
/// noise. Units of Gmax, 1/Gmax and the read voltage.
class ArrayCircuit {
 public:
  /// plus, minus: rows x cols; `minus` of interleaved pairs, else empty. device: decides how currents follow voltages,
  /// and is kept.
  ArrayCircuit(MatrixD plus, MatrixD minus, const CircuitConfig& config, const DeviceConfig& device,
               const ParallelLoop& loop = one_by_one);

  /// Currents into the ADCs (cols x MVMs) for inputs (rows x MVMs) between -1 and 1; of gated arrays that are not
  /// driven by pulses, in {-1, 0, 1}. reads: one per MVM, or none where cells are read as they were programmed. The
  /// bits of an MVM don't depend on the others. Pulses are at most as many circuits as there are different inputs. With
  /// nonlinear cells every draw is solved anew, whatever CircuitConfig::noise says. Error(bad_input) where Newton's
  /// method fails.
  MatrixD currents(const MatrixD& inputs, std::span<const CellReads> reads = {}) const;

  /// Everything inside, for one pattern (not for pulses).
  CircuitState state(const Eigen::VectorXd& inputs) const;
  /// As a list of elements, driven like that.
  ArrayNetlist netlist(const Eigen::VectorXd& inputs) const;
  /// What cells carry; of the device given.
  const CellCurrent& law() const { return law_; }

 private:
  /// Of one pattern of gates or voltages per column.
  MatrixD pattern_currents(const MatrixD& inputs, std::span<const CellReads> reads) const;
  Eigen::VectorXd pulse_currents(const Eigen::VectorXd& inputs, std::span<const CellReads> reads) const;
  Eigen::VectorXd gated_currents_of(const Eigen::VectorXd& gates, const CellReads* reads) const;
  MatrixD driven_currents(const MatrixD& inputs, std::span<const CellReads> reads) const;
  /// Cells' voltages and currents, + before -.
  CellState gated_cells_state(const Eigen::VectorXd& gates, const CellReads* reads) const;
  /// The same by word line, + and - in turn, of every MVM.
  std::vector<CellState> driven_cells_states(const MatrixD& inputs, std::span<const CellReads> reads) const;
  /// Word lines' voltages: of pairs, +V and -V in turn.
  MatrixD drivers(const MatrixD& inputs) const;
  WiredCells wired(const MatrixD& plus, const MatrixD& minus) const;
  bool nonlinear() const { return device_.iv != IvModel::linear; }

  MatrixD plus_, minus_;
  CircuitConfig config_;
  DeviceConfig device_;
  CellCurrent law_;
  GatedCells gated_;                     ///< separate source
  std::optional<WiredCircuit> circuit_;  ///< input source, as programmed
};

}  // namespace crossgrid
