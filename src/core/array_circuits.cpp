#include "crossgrid/core/array_circuits.hpp"

#include <algorithm>
#include <functional>
#include <memory>

#include "array_place.hpp"
#include "crossgrid/array/array_circuit.hpp"
#include "crossgrid/core/wired_conductance.hpp"

namespace crossgrid {

std::vector<ArrayCircuits> array_circuits(const ProgrammedMatrix& matrix, const ProgrammedCells& cells,
                                          const std::vector<Part>& row_parts, const LayerHardware& hardware,
                                          const ParallelLoop& loop) {
  const WiresConfig& wires = hardware.array.wires;
  CircuitConfig config;
  config.wires = wire_resistance(hardware);
  config.source = wires.source, config.used_rows = wires.used_rows, config.noise = wires.read_noise;
  config.pulses = hardware.dac.model == ConverterModel::pulse_width;
  const std::size_t col_parts = matrix.col_parts.size();
  std::vector<ArrayCircuits> found(matrix.planes.size() * row_parts.size() * col_parts);
  const auto solve = [&](std::size_t k) {
    const CellPlane& plane = matrix.planes[k / col_parts / row_parts.size()];
    const SliceCells& slice = cells.slices[static_cast<std::size_t>(plane.slice)];
    const std::size_t col_part = k % col_parts;
    const ArrayPlace place{row_parts[k / col_parts % row_parts.size()], matrix.col_parts[col_part],
                           static_cast<Eigen::Index>(col_part)};
    CircuitConfig own = config;
    if (hardware.array.rows_max) own.unused_rows = std::max(0, *hardware.array.rows_max - place.rows.count);
    const auto circuit = [&](MatrixD plus, MatrixD minus) {
      return std::make_shared<const ArrayCircuit>(std::move(plus), std::move(minus), own, hardware.device);
    };
    const bool net = slice.minus.size() > 0 && !matrix.scheme.sides;
    MatrixD first = array_cells(slice, plane.scale < 0 ? &SliceCells::minus : &SliceCells::plus, place);
    MatrixD second = net ? array_cells(slice, &SliceCells::minus, place) : MatrixD();
    ArrayCircuits& circuits = found[k];
    circuits.row_first = place.rows.first, circuits.rows = place.rows.count;
    if (net && !hardware.core.interleaved) {
      circuits.plus = circuit(std::move(first), {});
      circuits.minus = circuit(std::move(second), {});
    } else {
      circuits.plus = circuit(std::move(first), std::move(second));
    }
  };
  loop(found.size(), solve);
  return found;
}

}  // namespace crossgrid
