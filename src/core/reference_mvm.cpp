#include "crossgrid/core/reference_mvm.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <map>

#include "crossgrid/array/nodal_circuit.hpp"
#include "crossgrid/base/normal.hpp"
#include "crossgrid/core/partition.hpp"
#include "crossgrid/core/programmed_matrix.hpp"
#include "crossgrid/core/reference_adc.hpp"
#include "crossgrid/core/reference_cell.hpp"

namespace crossgrid {
namespace {

double nearest_level(double g, const std::vector<double>& levels) {
  return *std::min_element(levels.begin(), levels.end(),
                           [&](double a, double b) { return std::abs(a - g) < std::abs(b - g); });
}

/// Sorts everything: nothing clever.
double plain_limit(const Matrix& weights, const WeightClip& clip) {
  std::vector<double> sorted(weights.data(), weights.data() + weights.size());
  std::sort(sorted.begin(), sorted.end());
  const auto quantile = [&](double p) {
    const double place = p * static_cast<double>(sorted.size() - 1);
    const auto k = static_cast<std::size_t>(place);
    const double next = sorted[std::min(k + 1, sorted.size() - 1)];
    return sorted[k] + (place - static_cast<double>(k)) * (next - sorted[k]);
  };
  double limit = clip.value;
  if (clip.rule == WeightClip::Rule::factor) limit *= std::max(std::abs(sorted.front()), std::abs(sorted.back()));
  if (clip.rule == WeightClip::Rule::quantile) {
    limit = std::max(std::abs(quantile(clip.value)), std::abs(quantile(1 - clip.value)));
  }
  return limit > 0 ? limit : 1;
}

/// An array with wires, or one side's.
struct CircuitPlace {
  int array = 0, part = 0, slice = 0;
  bool minus = false;
};

/// One layer's chip, seen one cell at a time. Column -1 - c is the unit column of column array c.
class ReferenceChip {
 public:
  ReferenceChip(const Matrix& weights, const LayerHardware& hardware, const LayerStreams& streams)
      : weights_(weights),
        hardware_(hardware),
        core_(hardware.core),
        device_(hardware.device),
        cell_(hardware.device, static_cast<int>(weights.rows())),
        unit_cell_(hardware.device, static_cast<int>(partition(static_cast<int>(weights.rows()),
                                                               hardware.array.cols_max, hardware.array.cols_partition)
                                                         .size())),
        streams_(streams),
        limit_(plain_limit(weights, hardware.core.clip)),
        row_parts_(partition(inputs(), hardware.array.rows_max, hardware.array.rows_partition)),
        groups_(row_groups(row_parts_, hardware.array.rows_active)),
        col_parts_(partition(outputs(), hardware.array.cols_max, hardware.array.cols_partition)) {
    const DeviceConfig& device = hardware.device;
    g_min_ = 1 / device.on_off_ratio;
    if (device.cell_bits) level_steps_ = std::ldexp(1.0, *device.cell_bits) - 1;
    range_ = 1 - g_min_;
    if (offset() && core_.slices == 1 && level_steps_ > 0) range_ *= (level_steps_ - 1) / level_steps_;
    base_ = 1 - range_;
    if (core_.slices > 1) {
      const int bits = *core_.weight_bits, slices = core_.slices;
      digit_bits_ = bits % slices == 0 ? bits / slices
                                       : static_cast<int>(std::ceil((offset() ? bits : bits - 1) / double(slices)));
    }
    program();
    circuits_each_time_ = hardware.solves_circuits();
    wired_ = hardware.array.wires.any();
    if (wired_ && !circuits_each_time_) build_circuits();
    per_cell_ = device.read_noise.active() && draws_cells(hardware);
  }

  bool offset() const { return core_.style == CoreStyle::offset; }
  bool units() const { return offset() && core_.unit_column; }
  int inputs() const { return static_cast<int>(weights_.cols()); }
  int outputs() const { return static_cast<int>(weights_.rows()); }
  const std::vector<RowGroup>& groups() const { return groups_; }
  const std::vector<Part>& col_parts() const { return col_parts_; }
  bool per_cell() const { return per_cell_; }
  double limit() const { return limit_; }
  double base() const { return base_; }
  double range() const { return range_; }
  double g_min() const { return g_min_; }
  int digit_bits() const { return digit_bits_; }
  double weight_steps() const { return std::ldexp(1.0, *core_.weight_bits - 1) - 1; }

  /// Place of a column among the analog ones, and how many there are.
  int column(int j) const {
    int place = 0;
    for (int part = 0; part < static_cast<int>(col_parts_.size()); ++part) {
      const Part& cols = col_parts_[static_cast<std::size_t>(part)];
      if (j == -1 - part) return place;
      if (units()) ++place;
      if (j >= cols.first && j < cols.first + cols.count) return place + j - cols.first;
      place += cols.count;
    }
    return place;
  }
  int columns() const { return outputs() + (units() ? static_cast<int>(col_parts_.size()) : 0); }

  AdcStreams adc_streams_of(int plane, int array, int part) const { return adc_streams(streams_, plane, array, part); }

  /// A cell after programming, drift and faults.
  const ReferenceCell::Cell& programmed(int slice, bool minus, int i, int j) const {
    return cells_[place(slice, minus, i, j)];
  }

  /// Against drift: what an array conducted without errors over what it conducts.
  double gain(int array, int part, int slice) const {
    const std::size_t parts = col_parts_.size();
    return gains_[(static_cast<std::size_t>(array) * parts + static_cast<std::size_t>(part)) *
                      static_cast<std::size_t>(core_.slices) +
                  static_cast<std::size_t>(slice)];
  }
  /// The array that holds a column.
  int part_of(int j) const {
    if (j < 0) return -1 - j;
    int part = 0;
    while (j >= col_parts_[static_cast<std::size_t>(part)].first + col_parts_[static_cast<std::size_t>(part)].count)
      ++part;
    return part;
  }

  bool wired() const { return wired_; }
  /// Whether the cells of a pair share bit lines and so one circuit.
  bool pairs() const { return !offset() && core_.interleaved; }
  /// Currents into the ADCs of an array with wires, its unit column first, for what drives its rows in one cycle.
  Eigen::VectorXd wired_currents(const ReferenceMvm& mvm, const CircuitPlace& place, int cycle,
                                 const Eigen::VectorXd& x) const {
    if (!circuits_each_time_) return circuits_[circuit(place)].currents(drivers(x));
    if (hardware_.dac.model != ConverterModel::pulse_width) return circuit_currents(mvm, place, cycle, x);
    // Time step by time step.
    const bool is_signed = x.minCoeff() < 0 || hardware_.dac.sign == DacSign::is_signed ||
                           (hardware_.dac.sign == DacSign::automatic && mvm.input_range.low < 0);
    const double steps = std::ldexp(1.0, hardware_.dac.bits - (is_signed ? 1 : 0)) - 1;
    Eigen::VectorXd sum = Eigen::VectorXd::Zero(circuit_columns(place.part));
    for (int step = 1; step <= static_cast<int>(steps); ++step) {
      const Eigen::VectorXd on = x.unaryExpr([&](double value) {
        return std::nearbyint(std::abs(value) * steps) >= step ? std::copysign(1.0, value) : 0.0;
      });
      sum += circuit_currents(mvm, place, cycle, on) / steps;
    }
    return sum;
  }
  /// Inputs of an array.
  const Part& array_rows(int array) const { return row_parts_[static_cast<std::size_t>(array)]; }

  double nonlinear_current(int slice, bool minus, int i, int j, double x) const {
    return device_.iv == IvModel::linear ? 0 : cell_.nonlinear_current(programmed(slice, minus, i, j), x);
  }

  /// The cell's conductance in this cycle, drawn for itself.
  double read(const ReferenceMvm& mvm, int slice, bool minus, int cycle, int i, int j) const {
    const auto rows = static_cast<std::uint64_t>(inputs()), cols = static_cast<std::uint64_t>(columns());
    const DrawSequence draws{streams_.key(DrawPurpose::cell_read_noise, 2 * slice + (minus ? 1 : 0)), mvm.image,
                             static_cast<std::uint32_t>(cycle)};
    const std::uint64_t cell = (mvm.window * rows + static_cast<std::uint64_t>(i)) * cols;
    return cell_.read(programmed(slice, minus, i, j), draws, cell + static_cast<std::uint64_t>(column(j)));
  }

  /// Of the cell's conductance under clipped read noise.
  const ReferenceCell::Moments& moments(int slice, bool minus, int i, int j) const {
    return moments_[place(slice, minus, i, j)];
  }

  /// The normal of one lumped conversion.
  double lumped_draw(const ReferenceMvm& mvm, int group, int slice, bool minus, int cycle, int j) const {
    const std::uint64_t index =
        std::uint64_t{mvm.window} * static_cast<std::uint64_t>(columns()) + static_cast<std::uint64_t>(column(j));
    const auto number = static_cast<std::uint32_t>((2 * slice + (minus ? 1 : 0)) * 256 + cycle);
    return normal_draw({streams_.key(DrawPurpose::lumped_read_noise, group), mvm.image, number}, index);
  }

 private:
  std::uint64_t index(int i, int j) const {
    const auto row = static_cast<std::uint64_t>(i);
    return j < 0 ? row * col_parts_.size() + static_cast<std::uint64_t>(-1 - j)
                 : row * static_cast<std::uint64_t>(outputs()) + static_cast<std::uint64_t>(j);
  }
  /// Among all cells: slices, sides, rows, columns (the unit columns first).
  std::size_t place(int slice, bool minus, int i, int j) const {
    const std::size_t units_first = units() ? col_parts_.size() : 0;
    const std::size_t columns = units_first + static_cast<std::size_t>(outputs());
    const std::size_t column = j < 0 ? static_cast<std::size_t>(-1 - j) : units_first + static_cast<std::size_t>(j);
    const std::size_t plane = 2 * static_cast<std::size_t>(slice) + (minus ? 1 : 0);
    return (plane * static_cast<std::size_t>(inputs()) + static_cast<std::size_t>(i)) * columns + column;
  }
  template <class Body>
  void for_each_cell(const Body& body) const {
    for (int slice = 0; slice < core_.slices; ++slice) {
      for (const bool minus : {false, true}) {
        for (int i = 0; i < inputs(); ++i) {
          for (int j = units() ? -static_cast<int>(col_parts_.size()) : 0; j < outputs(); ++j) body(slice, minus, i, j);
        }
      }
    }
  }

  void program() {
    const std::size_t columns = static_cast<std::size_t>(outputs()) + (units() ? col_parts_.size() : 0);
    cells_.resize(2 * static_cast<std::size_t>(core_.slices * inputs()) * columns);
    for_each_cell([&](int slice, bool minus, int i, int j) {
      if (minus && offset()) return;
      const double g = level_target(slice, minus, i, j);
      cells_[place(slice, minus, i, j)] = j < 0
                                              ? unit_cell_.programmed(g, streams_, 64 + slice, index(i, j))
                                              : cell_.programmed(g, streams_, 2 * slice + (minus ? 1 : 0), index(i, j));
    });
    if (device_.read_noise.active()) {
      for (const ReferenceCell::Cell& cell : cells_) moments_.push_back(cell_.moments(cell));
    }
    for (int array = 0; array <= groups_.back().array; ++array) {
      for (int part = 0; part < static_cast<int>(col_parts_.size()); ++part) {
        for (int slice = 0; slice < core_.slices; ++slice) gains_.push_back(array_gain(array, part, slice));
      }
    }
  }

  std::size_t circuit(const CircuitPlace& place) const {
    const auto array = static_cast<std::size_t>(place.array) * col_parts_.size() + static_cast<std::size_t>(place.part);
    const auto slices = static_cast<std::size_t>(core_.slices);
    return (array * slices + static_cast<std::size_t>(place.slice)) * (sides_apart() ? 2 : 1) + (place.minus ? 1 : 0);
  }
  /// Whether + and - cells are circuits of their own.
  bool sides_apart() const { return !offset() && !core_.interleaved; }
  WireResistance wires() const {
    const WiresConfig& ohms = hardware_.array.wires;
    const double g_max = 1 / device_.r_min;
    return {ohms.r_row * g_max, ohms.r_col * g_max, ohms.r_row_end * g_max, ohms.r_col_end * g_max};
  }
  Eigen::VectorXd drivers(const Eigen::VectorXd& x) const {
    if (!pairs()) return x;
    Eigen::VectorXd lines(2 * x.size());
    for (Eigen::Index i = 0; i < x.size(); ++i) lines[2 * i] = x[i], lines[2 * i + 1] = -x[i];
    return lines;
  }
  Eigen::Index circuit_columns(int part) const {
    return (units() ? 1 : 0) + col_parts_[static_cast<std::size_t>(part)].count;
  }
  /// value(row, column of the matrix) of an array's cells, its unit column first.
  template <class Value>
  MatrixD of_array(const CircuitPlace& place, const Value& value) const {
    const Part& rows = row_parts_[static_cast<std::size_t>(place.array)];
    const Part& cols = col_parts_[static_cast<std::size_t>(place.part)];
    const int units_first = units() ? 1 : 0;
    MatrixD found(rows.count, circuit_columns(place.part));
    for (int i = 0; i < rows.count; ++i) {
      if (units()) found(i, 0) = value(rows.first + i, -1 - place.part);
      for (int j = 0; j < cols.count; ++j) found(i, units_first + j) = value(rows.first + i, cols.first + j);
    }
    return found;
  }
  MatrixD programmed_cells(const CircuitPlace& place, bool minus) const {
    return of_array(place, [&](int i, int j) -> double { return programmed(place.slice, minus, i, j); });
  }
  /// Every array as a circuit.
  void build_circuits() {
    CircuitPlace place;
    for (place.array = 0; place.array < static_cast<int>(row_parts_.size()); ++place.array) {
      for (place.part = 0; place.part < static_cast<int>(col_parts_.size()); ++place.part) {
        for (place.slice = 0; place.slice < core_.slices; ++place.slice) {
          const Eigen::VectorXd still =
              drivers(Eigen::VectorXd::Zero(row_parts_[static_cast<std::size_t>(place.array)].count));
          const auto build = [&](const WiredCells& array) { circuits_.emplace_back(netlist_of(array, still)); };
          const MatrixD plus = programmed_cells(place, false);
          build(pairs() ? interleaved_cells(plus, programmed_cells(place, true), wires()) : wired_cells(plus, wires()));
          if (sides_apart()) build(wired_cells(programmed_cells(place, true), wires()));
        }
      }
    }
  }

  /// One array solved for one MVM.
  Eigen::VectorXd circuit_currents(const ReferenceMvm& mvm, const CircuitPlace& place, int cycle,
                                   const Eigen::VectorXd& x) const {
    const WiresConfig& config = hardware_.array.wires;
    const bool gated = config.source == WireSource::separate;
    const MatrixD plus = programmed_cells(place, place.minus),
                  minus = pairs() ? programmed_cells(place, true) : MatrixD();
    ArrayNetlist netlist;
    if (gated) {
      const Eigen::Index unused = std::max<Eigen::Index>(0, hardware_.array.rows_max.value_or(0) - plus.rows());
      netlist = netlist_of(gated_cells(plus, minus, wires(), unused, config.used_rows), x);
    } else {
      netlist = netlist_of(pairs() ? interleaved_cells(plus, minus, wires()) : wired_cells(plus, wires()), drivers(x));
    }
    /// Where a cell of the netlist is in the matrix.
    struct Home {
      bool minus;
      int i, j;
    };
    const auto home = [&](const ArrayNetlist::Cell& cell) -> Home {
      const bool interleaved = pairs() && !gated;
      const Part& rows = row_parts_[static_cast<std::size_t>(place.array)];
      const Part& cols = col_parts_[static_cast<std::size_t>(place.part)];
      const auto row = static_cast<int>(interleaved ? cell.row / 2 : cell.row);
      const auto col = static_cast<int>(cell.col) - (units() ? 1 : 0);
      return {interleaved ? cell.row % 2 == 1 : place.minus || cell.minus, rows.first + row,
              col < 0 ? -1 - place.part : cols.first + col};
    };
    Eigen::VectorXd changes = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(netlist.cells.size()));
    if (device_.read_noise.active()) {
      for (Eigen::Index k = 0; k < changes.size(); ++k) {
        const ArrayNetlist::Cell& cell = netlist.cells[static_cast<std::size_t>(k)];
        const Home at = home(cell);
        changes[k] = read(mvm, place.slice, at.minus, cycle, at.i, at.j) - cell.conductance;
      }
    }
    if (device_.iv == IvModel::linear) {
      if (!gated && config.read_noise == WireNoise::first_order)
        return NodalCircuit(netlist).first_order_currents(changes);
      for (Eigen::Index k = 0; k < changes.size(); ++k)
        netlist.cells[static_cast<std::size_t>(k)].conductance += changes[k];
      return NodalCircuit(netlist).currents();
    }
    return NodalCircuit(netlist).nonlinear_currents([&](std::size_t k, double v) {
      const Home at = home(netlist.cells[k]);
      const double linear = netlist.cells[k].conductance + changes[static_cast<Eigen::Index>(k)];
      return linear * v + cell_.nonlinear_current(programmed(place.slice, at.minus, at.i, at.j), v);
    });
  }

  double array_gain(int array, int part, int slice) const {
    if (device_.compensation == DriftCompensation::none || !device_.drifts()) return 1;
    double before = 0, now = 0;
    const Part& cols = col_parts_[static_cast<std::size_t>(part)];
    for (const RowGroup& group : groups_) {
      if (group.array != array) continue;
      for (int i = group.rows.first; i < group.rows.first + group.rows.count; ++i) {
        for (const bool minus : {false, true}) {
          if (minus && offset()) continue;
          for (int j = cols.first; j < cols.first + cols.count; ++j) {
            before +=
                cell_.nominal(level_target(slice, minus, i, j), streams_, 2 * slice + (minus ? 1 : 0), index(i, j));
            now += programmed(slice, minus, i, j);
          }
        }
        if (!units()) continue;
        const int unit = -1 - part;
        before += unit_cell_.nominal(level_target(slice, false, i, unit), streams_, 64 + slice, index(i, unit));
        now += programmed(slice, false, i, unit);
      }
    }
    return now > 0 ? before / now : 1;
  }

  double level_target(int slice, bool minus, int i, int j) const {
    const double weight = j < 0 ? 0 : static_cast<double>(weights_(j, i));
    const double g = target(std::clamp(weight / limit_, -1.0, 1.0), slice, minus);
    if (level_steps_ > 0) return reference_round(g, g_min_, 1, level_steps_);
    return device_.levels.empty() ? g : nearest_level(g, device_.levels);
  }

  double target(double w, int slice, bool minus) const {
    if (core_.slices > 1) {
      const auto k = static_cast<long>(std::nearbyint(w * weight_steps()));
      const long code = offset() ? k + (1L << (*core_.weight_bits - 1)) : std::labs(k);
      long digits = code;
      for (int m = 0; m < slice; ++m) digits /= 1L << digit_bits_;
      const double digit = static_cast<double>(digits % (1L << digit_bits_)) / (std::ldexp(1.0, digit_bits_) - 1);
      const bool holds = offset() || (minus ? k < 0 : k > 0);
      return g_min_ + (1 - g_min_) * (holds ? digit : 0);
    }
    if (core_.weight_bits) w = std::nearbyint(w * weight_steps()) / weight_steps();
    const double side = minus ? -w : w;
    return base_ + range_ * (offset() || core_.two_sided ? (1 + side) / 2 : std::max(side, 0.0));
  }

  bool draws_cells(const LayerHardware& hardware) const {
    const NoiseSampling sampling = hardware.device.read_noise_sampling;
    if (sampling != NoiseSampling::automatic) return sampling == NoiseSampling::per_cell;
    int smallest = inputs();
    for (const RowGroup& group : groups_) smallest = std::min(smallest, group.rows.count);
    if (smallest >= 64) return false;
    if (hardware.device.read_noise.law() == DrawLaw::uniform) return true;
    for (int slice = 0; slice < core_.slices; ++slice) {
      for (int side = 0; side < (offset() ? 1 : 2); ++side) {
        for (int i = 0; i < inputs(); ++i) {
          for (int j = units() ? -static_cast<int>(col_parts_.size()) : 0; j < outputs(); ++j) {
            if (moments(slice, side == 1, i, j).clips >= 1e-12) return true;
          }
        }
      }
    }
    return false;
  }

  const Matrix& weights_;
  const LayerHardware& hardware_;
  const CoreConfig& core_;
  const DeviceConfig& device_;
  ReferenceCell cell_, unit_cell_;
  LayerStreams streams_;
  double limit_;
  std::vector<Part> row_parts_;
  std::vector<RowGroup> groups_;
  std::vector<Part> col_parts_;
  double g_min_ = 0, level_steps_ = 0, range_ = 1, base_ = 0;
  int digit_bits_ = 0;
  bool per_cell_ = false;
  std::vector<ReferenceCell::Cell> cells_;  ///< by place()
  std::vector<ReferenceCell::Moments> moments_;
  std::vector<double> gains_;  ///< [array][column part][slice]
  bool wired_ = false, circuits_each_time_ = false;
  std::deque<NodalCircuit> circuits_;  ///< [array][column part][slice][side, where apart], where they stay the same
};

struct ScaledInputs {
  std::vector<double> values;               ///< after the DAC
  std::vector<std::vector<double>> slices;  ///< the same as it is sent, slice by slice
  std::vector<double> slice_weights;
  double unit = 1;
  bool is_signed = false;
};

/// Digits of the magnitude, the sign with each.
void slice(ScaledInputs& inputs, const DacConfig& dac) {
  if (!dac.slice_bits || dac.model == ConverterModel::ideal || dac.model == ConverterModel::pulse_width) {
    inputs.slices = {inputs.values};
    inputs.slice_weights = {1};
    return;
  }
  const int bits = dac.bits - (dac.model == ConverterModel::sign_magnitude ? 1 : 0);
  const double steps = std::ldexp(1.0, bits) - 1, largest = std::ldexp(1.0, *dac.slice_bits) - 1;
  for (int sent = 0; sent < bits; sent += *dac.slice_bits) {
    std::vector<double> digits;
    for (const double x : inputs.values) {
      const double above = std::floor(std::nearbyint(std::abs(x) * steps) / std::ldexp(1.0, sent));
      digits.push_back(std::copysign(std::fmod(above, largest + 1) / largest, x));
    }
    inputs.slices.push_back(digits);
    inputs.slice_weights.push_back(largest * std::ldexp(1.0, sent) / steps);
  }
}

ScaledInputs scaled_inputs(const DacConfig& dac, Interval range, std::span<const double> x, double factor) {
  ScaledInputs inputs;
  if (dac.range == RangeRule::per_vector) {
    double largest = 0;
    for (const double value : x) largest = std::max(largest, std::abs(value));
    range = {range.low < 0 ? -largest : 0, largest};
  }
  inputs.is_signed = dac.sign == DacSign::is_signed || (dac.sign == DacSign::automatic && range.low < 0);
  inputs.unit = inputs.is_signed ? (range.high - range.low) / 2 : range.high - range.low;
  if (!(inputs.unit > 0)) inputs.unit = 1;
  const double low = inputs.is_signed ? range.low : std::max(range.low, 0.0);
  for (double value : x) {
    value *= factor;
    switch (dac.model) {
      case ConverterModel::ideal:
        break;
      case ConverterModel::quantizer:
        value = reference_round(value, low, range.high, std::ldexp(1.0, dac.bits) - 1);
        break;
      case ConverterModel::pulse_width:
        value = inputs.is_signed ? reference_sign_magnitude(value, inputs.unit, dac.bits)
                                 : reference_round(value, 0, inputs.unit, std::ldexp(1.0, dac.bits) - 1);
        break;
      case ConverterModel::sign_magnitude:
        value = reference_sign_magnitude(value, inputs.unit, dac.bits);
        break;
      default:
        break;
    }
    inputs.values.push_back(value / inputs.unit);
  }
  slice(inputs, dac);
  return inputs;
}

/// The whole chain of one MVM with given inputs.
class ReferenceChain {
 public:
  ReferenceChain(const ReferenceChip& chip, const LayerHardware& hardware, const ReferenceMvm& mvm,
                 const ScaledInputs& inputs)
      : chip_(chip), hardware_(hardware), mvm_(mvm), inputs_(inputs) {
    if (!hardware.adc.levels.lloyd_max) return;
    for (const auto& levels : mvm.adc_levels) {
      fitted_.push_back(hardware.adc);
      fitted_.back().levels.levels = levels;
    }
  }

  ReferenceResult run() {
    ReferenceResult result;
    double input_sum = 0;
    for (const double x : inputs_.values) input_sum += x;
    for (int part = 0; part < static_cast<int>(chip_.col_parts().size()); ++part) {
      const Part& cols = chip_.col_parts()[static_cast<std::size_t>(part)];
      const double unit = chip_.units() ? column_sum(-1 - part) : 0;
      for (int j = cols.first; j < cols.first + cols.count; ++j) {
        result.outputs.push_back(inputs_.unit * (column_sum(j) - unit - digital_offset(input_sum)));
      }
    }
    result.conversions = std::move(conversions_);
    return result;
  }

 private:
  const CoreConfig& core() const { return hardware_.core; }
  bool net() const { return core().subtract == Subtraction::analog || core().interleaved; }

  /// Weight units per current of a slice.
  double scale(int slice) const {
    const double range = chip_.range();
    if (core().slices == 1) return (chip_.offset() ? 2 : 1) * chip_.limit() / range;
    return chip_.limit() * (std::ldexp(1.0, chip_.digit_bits()) - 1) * std::ldexp(1.0, slice * chip_.digit_bits()) /
           (chip_.weight_steps() * (1 - chip_.g_min()));
  }

  double digital_offset(double input_sum) const {
    if (!chip_.offset() || chip_.units()) return 0;
    if (core().slices == 1) return scale(0) * (chip_.base() + chip_.range() / 2) * input_sum;
    double offset = chip_.limit() * (chip_.weight_steps() + 1) / chip_.weight_steps();
    for (int slice = 0; slice < core().slices; ++slice) offset += scale(slice) * chip_.g_min();
    return offset * input_sum;
  }

  /// A column over all row groups and slices, digitised and added.
  double column_sum(int j) {
    double sum = 0;
    for (int group = 0; group < static_cast<int>(chip_.groups().size()); ++group) {
      for (int slice = 0; slice < core().slices; ++slice) sum += scale(slice) * converted(group, slice, j);
    }
    return sum;
  }

  double converted(int group, int slice, int j) {
    if (chip_.offset()) return digitised(group, slice, 0, j, cycles(group, slice, j, 1, 0));
    if (net()) {
      std::vector<double> currents = cycles(group, slice, j, 1, core().interleaved || !limited() ? -1 : 0);
      if (limited() && !core().interleaved) {
        const std::vector<double> minus = cycles(group, slice, j, 0, 1);
        for (std::size_t k = 0; k < currents.size(); ++k) currents[k] -= minus[k];
      }
      return digitised(group, slice, 0, j, currents);
    }
    const bool apart = limited() || hardware_.adc.model != ConverterModel::ideal;
    if (!apart) return digitised(group, slice, 0, j, cycles(group, slice, j, 1, -1));
    return digitised(group, slice, 0, j, cycles(group, slice, j, 1, 0)) -
           digitised(group, slice, 1, j, cycles(group, slice, j, 0, 1));
  }

  bool limited() const { return hardware_.array.column_current_max.has_value(); }
  bool inputs_apart() const {
    return limited() || chip_.per_cell() || hardware_.device.iv != IvModel::linear ||
           (hardware_.adc.model != ConverterModel::ideal && hardware_.adc.per_input_slice);
  }

  /// A column's current in each input cycle: plus * (+ cells) + minus * (- cells), limited.
  std::vector<double> cycles(int group, int slice, int j, int plus, int minus) const {
    const Part& rows = chip_.groups()[static_cast<std::size_t>(group)].rows;
    const double gain = chip_.gain(chip_.groups()[static_cast<std::size_t>(group)].array, chip_.part_of(j), slice);
    std::vector<double> currents;
    if (chip_.wired()) {
      for (std::size_t k = 0; k < inputs_.slices.size(); ++k) {
        const double current = gain * wired_current(group, slice, j, k, plus, minus);
        currents.push_back(
            limited() ? std::clamp(current, -*hardware_.array.column_current_max, *hardware_.array.column_current_max)
                      : current);
      }
      return currents;
    }
    double variance_of_sum = 0;
    for (std::size_t k = 0; k < inputs_.slices.size(); ++k) {
      double current = 0, variance = 0;
      for (int i = rows.first; i < rows.first + rows.count; ++i) {
        const double x = inputs_.slices[k][static_cast<std::size_t>(i)];
        for (const bool side : {false, true}) {
          const int sign = side ? minus : plus;
          if (sign == 0) continue;
          add_cell(slice, side, static_cast<int>(k), i, j, sign * x * gain, current, variance);
          current += sign * gain * chip_.nonlinear_current(slice, side, i, j, x);
        }
      }
      if (inputs_apart() || inputs_.slices.size() == 1) {
        current += std::sqrt(variance) * noise(group, slice, plus == 0, static_cast<int>(k), j);
      } else {
        variance_of_sum += inputs_.slice_weights[k] * inputs_.slice_weights[k] * variance;
      }
      if (limited()) {
        const double most = *hardware_.array.column_current_max;
        current = std::clamp(current, -most, most);
      }
      currents.push_back(current);
    }
    if (variance_of_sum > 0) {
      currents[0] += std::sqrt(variance_of_sum) / inputs_.slice_weights[0] * noise(group, slice, plus == 0, 0, j);
    }
    return currents;
  }

  /// The whole array solved, once for all of its columns.
  double wired_current(int group, int slice, int j, std::size_t cycle, int plus, int minus) const {
    const int array = chip_.groups()[static_cast<std::size_t>(group)].array, part = chip_.part_of(j);
    const int unit = chip_.units() ? 1 : 0;
    const int column = j < 0 ? 0 : unit + j - chip_.col_parts()[static_cast<std::size_t>(part)].first;
    const auto side = [&](bool is_minus) {
      const std::array<int, 5> key{group, part, slice, static_cast<int>(cycle), is_minus ? 1 : 0};
      auto [found, fresh] = solved_.try_emplace(key);
      if (fresh) {
        const Part& rows = chip_.array_rows(array);
        const Part& driven = chip_.groups()[static_cast<std::size_t>(group)].rows;
        Eigen::VectorXd x = Eigen::VectorXd::Zero(rows.count);
        for (int i = driven.first; i < driven.first + driven.count; ++i) {
          x[i - rows.first] = inputs_.slices[cycle][static_cast<std::size_t>(i)];
        }
        found->second = chip_.wired_currents(mvm_, {array, part, slice, is_minus}, static_cast<int>(cycle), x);
      }
      return found->second[column];
    };
    if (chip_.pairs()) return side(false);
    return (plus != 0 ? plus * side(false) : 0) + (minus != 0 ? minus * side(true) : 0);
  }

  double noise(int group, int slice, bool minus, int cycle, int j) const {
    const bool lumped = hardware_.device.read_noise.active() && !chip_.per_cell();
    return lumped ? chip_.lumped_draw(mvm_, group, slice, minus, cycle, j) : 0;
  }

  void add_cell(int slice, bool minus, int cycle, int i, int j, double x, double& current, double& variance) const {
    if (!hardware_.device.read_noise.active()) {
      current += x * chip_.programmed(slice, minus, i, j);
    } else if (chip_.per_cell()) {
      current += x * chip_.read(mvm_, slice, minus, cycle, i, j);
    } else {
      const auto cell = chip_.moments(slice, minus, i, j);
      current += x * cell.mean;
      variance += x * x * cell.variance;
    }
  }

  /// Input slices each through the ADC, or their analog sum.
  double digitised(int group, int slice, int side, int j, const std::vector<double>& currents) {
    if (hardware_.adc.model == ConverterModel::ideal || hardware_.adc.per_input_slice) {
      double sum = 0;
      for (std::size_t k = 0; k < currents.size(); ++k) {
        sum += inputs_.slice_weights[k] * convert(group, slice, side, static_cast<int>(k), j, currents[k]);
      }
      return sum;
    }
    double accumulated = 0;  // q <- (q + y_k) / 2^s, rescaled at the end
    const double base = inputs_.slices.size() == 1 ? 1 : std::ldexp(1.0, *hardware_.dac.slice_bits);
    for (const double current : currents) accumulated = (accumulated + current) / base;
    const double last = inputs_.slice_weights.back() * base;
    return convert(group, slice, side, 0, j, accumulated * last);
  }

  double convert(int group, int slice, int side, int input_slice, int j, double current) {
    if (hardware_.adc.model == ConverterModel::ideal) return current;
    const Interval range = range_of(group, slice);
    conversions_.push_back({group, slice, side, input_slice, chip_.column(j), current, range});
    const RowGroup& rows = chip_.groups()[static_cast<std::size_t>(group)];
    const int part = chip_.part_of(j);
    const int first = chip_.units() ? chip_.column(-1 - part) : chip_.col_parts()[static_cast<std::size_t>(part)].first;
    const int column = chip_.column(j);
    const AdcStreams streams = chip_.adc_streams_of(2 * slice + side, rows.array, part);
    const AdcConfig& adc = fitted_.empty() ? hardware_.adc : fitted_.at(static_cast<std::size_t>(slice));
    return reference_adc(
        adc, current, range, streams, column - first,
        {mvm_.image, static_cast<std::uint32_t>(group * 64 + input_slice), mvm_.window, chip_.columns(), first});
  }

  Interval range_of(int group, int slice) const {
    const auto one_of = [&](const std::vector<Interval>& ranges) {
      return ranges.size() == 1 ? ranges.front() : ranges.at(static_cast<std::size_t>(slice));
    };
    const AdcConfig& adc = hardware_.adc;
    const double n = chip_.groups()[static_cast<std::size_t>(group)].rows.count;
    const bool bipolar = inputs_.is_signed || (!chip_.offset() && net());
    switch (adc.range) {
      case RangeRule::fixed:
        return one_of(adc.fixed_ranges);
      case RangeRule::granular: {
        const double step = granule();
        const double codes = std::ldexp(1.0, adc.bits);
        if (adc.model == ConverterModel::sign_magnitude) return {-step * (codes / 2 - 1), step * (codes / 2 - 1)};
        if (!bipolar) return {0, step * (codes - 1)};
        return {-step * codes / 2, step * (codes / 2 - 1)};
      }
      case RangeRule::calibrated:
        if (!mvm_.adc_ranges.empty()) return one_of(mvm_.adc_ranges);
        break;
      default:
        break;
    }
    return {bipolar ? -n : 0, n};
  }

  /// The smallest step of a current.
  double granule() const {
    double step = 0;
    if (core().slices > 1) {
      step = (1 - chip_.g_min()) / (std::ldexp(1.0, chip_.digit_bits()) - 1);
    } else if (core().weight_bits) {
      step = chip_.range() / chip_.weight_steps() / (chip_.offset() ? 2 : 1);
    }
    if (hardware_.device.cell_bits) {
      step = std::max(step, (1 - chip_.g_min()) / (std::ldexp(1.0, *hardware_.device.cell_bits) - 1));
    }
    return step / (std::ldexp(1.0, hardware_.dac.slice_bits.value_or(1)) - 1);
  }

  const ReferenceChip& chip_;
  const LayerHardware& hardware_;
  const ReferenceMvm& mvm_;
  const ScaledInputs& inputs_;
  std::vector<AdcConfig> fitted_;  ///< by slice, where levels are fitted
  /// Of arrays with wires, by group, column part, slice, cycle and side.
  mutable std::map<std::array<int, 5>, Eigen::VectorXd> solved_;
  std::vector<ReferenceConversion> conversions_;
};

bool clips(const ReferenceResult& result) {
  return std::ranges::any_of(result.conversions, [](const ReferenceConversion& conversion) {
    return conversion.value < conversion.range.low || conversion.value > conversion.range.high;
  });
}

}  // namespace

struct ReferenceMatrix::Impl {
  Impl(Matrix w, LayerHardware h, const LayerStreams& streams)
      : weights(std::move(w)), hardware(std::move(h)), chip(weights, hardware, streams) {}
  Matrix weights;
  LayerHardware hardware;
  ReferenceChip chip;  ///< refers to both
};

ReferenceMatrix::ReferenceMatrix(Matrix weights, LayerHardware hardware, const LayerStreams& streams)
    : impl_(std::make_unique<Impl>(std::move(weights), std::move(hardware), streams)) {}
ReferenceMatrix::ReferenceMatrix(ReferenceMatrix&&) noexcept = default;
ReferenceMatrix::~ReferenceMatrix() = default;

ReferenceResult ReferenceMatrix::multiply(std::span<const double> x, const ReferenceMvm& mvm) const {
  const LayerHardware& hardware = impl_->hardware;
  std::vector<ReferenceConversion> unhalved;
  for (int halvings = 0;; ++halvings) {
    const double factor = std::ldexp(1.0, -halvings);
    const ScaledInputs inputs = scaled_inputs(hardware.dac, mvm.input_range, x, factor);
    ReferenceResult result = ReferenceChain(impl_->chip, hardware, mvm, inputs).run();
    result.halvings = halvings;
    const bool again = halvings < hardware.adc.bound_management && clips(result);
    if (halvings == 0) unhalved = std::move(result.conversions);
    if (again) continue;
    result.conversions = std::move(unhalved);
    for (double& y : result.outputs) y /= factor;
    return result;
  }
}

ReferenceResult reference_chain(const Matrix& weights, const LayerHardware& hardware, std::span<const double> x,
                                const ReferenceMvm& mvm) {
  return ReferenceMatrix(weights, hardware, {mvm.seed, mvm.trial, mvm.layer}).multiply(x, mvm);
}

std::vector<double> reference_mvm(const Matrix& weights, const LayerHardware& hardware, std::span<const double> x,
                                  const ReferenceMvm& mvm) {
  return reference_chain(weights, hardware, x, mvm).outputs;
}

}  // namespace crossgrid
