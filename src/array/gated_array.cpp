#include "crossgrid/array/gated_array.hpp"

#include <utility>

#include "gated_ladder.hpp"

namespace crossgrid {
namespace {

avx2::Ladders ladders_of(const GatedCells& array, const Eigen::VectorXd& gates) {
  avx2::Ladders ladders;
  ladders.rows = array.plus.rows(), ladders.cols = array.plus.cols();
  ladders.lines = array.minus.size() > 0 ? 2 : 1;
  ladders.cells[0] = array.plus.data(), ladders.cells[1] = array.minus.data();
  ladders.gates = gates.data();
  ladders.supply_segments = array.supply_segments.data(), ladders.bit_segments = array.bit_segments.data();
  return ladders;
}

}  // namespace

GatedCells gated_cells(MatrixD plus, MatrixD minus, const WireResistance& wires, Eigen::Index unused_rows,
                       UsedRows used) {
  const auto rows = static_cast<std::size_t>(plus.rows());
  GatedCells array{std::move(plus), std::move(minus), std::vector<double>(rows, wires.row),
                   std::vector<double>(rows, wires.col)};
  const auto unused = static_cast<double>(unused_rows);
  if (used == UsedRows::top) {
    array.bit_segments.back() += unused * wires.col;
  } else {
    array.supply_segments.front() += unused * wires.row;
  }
  array.supply_segments.front() += wires.row_end;
  array.bit_segments.back() += wires.col_end;
  return array;
}

Eigen::VectorXd gated_currents(const GatedCells& array, const Eigen::VectorXd& gates) {
  Eigen::VectorXd currents(array.plus.cols());
  avx2::solve_ladders(ladders_of(array, gates), currents.data());
  return currents;
}

GatedState gated_state(const GatedCells& array, const Eigen::VectorXd& gates, const MatrixD& plus_injected,
                       const MatrixD& minus_injected) {
  avx2::Ladders ladders = ladders_of(array, gates);
  if (plus_injected.size() > 0) ladders.injected[0] = plus_injected.data();
  if (minus_injected.size() > 0) ladders.injected[1] = minus_injected.data();
  GatedState state;
  const auto like = [](const MatrixD& cells) { return MatrixD(cells.rows(), cells.cols()); };
  state.currents.resize(array.plus.cols());
  state.plus_voltages = like(array.plus), state.plus_currents = like(array.plus);
  state.minus_voltages = like(array.minus), state.minus_currents = like(array.minus);
  const avx2::LadderCells cells[2] = {{state.plus_voltages.data(), state.plus_currents.data()},
                                      {state.minus_voltages.data(), state.minus_currents.data()}};
  avx2::solve_ladders(ladders, state.currents.data(), cells);
  return state;
}

}  // namespace crossgrid
