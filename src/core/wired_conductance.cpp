#include "crossgrid/core/wired_conductance.hpp"

#include <functional>

#include "array_place.hpp"

namespace crossgrid {
namespace {

/// transfer: columns (the unit column first) x rows.
void put_back(const MatrixD& transfer, SliceCells& slice, Matrix SliceCells::*side, const ArrayPlace& place) {
  if (slice.unit.size() > 0) {
    slice.unit.block(place.rows.first, place.col_part, place.rows.count, 1) = transfer.row(0).transpose().cast<float>();
  }
  (slice.*side).block(place.rows.first, place.cols.first, place.rows.count, place.cols.count) =
      transfer.bottomRows(place.cols.count).transpose().cast<float>();
}

void solve_array(SliceCells& slice, const ArrayPlace& place, bool interleaved, const WireResistance& wires,
                 const ParallelLoop& loop) {
  const MatrixD plus = array_cells(slice, &SliceCells::plus, place);
  if (interleaved) {
    const MatrixD transfer =
        transfer_matrix(interleaved_cells(plus, array_cells(slice, &SliceCells::minus, place), wires), loop);
    put_back(transfer(Eigen::all, Eigen::seqN(0, plus.rows(), 2)), slice, &SliceCells::plus, place);
    put_back(transfer(Eigen::all, Eigen::seqN(1, plus.rows(), 2)), slice, &SliceCells::minus, place);
    return;
  }
  put_back(transfer_matrix(wired_cells(plus, wires), loop), slice, &SliceCells::plus, place);
  if (slice.minus.size() == 0) return;
  put_back(transfer_matrix(wired_cells(array_cells(slice, &SliceCells::minus, place), wires), loop), slice,
           &SliceCells::minus, place);
}

/// Arrays of fewer cells are solved side by side, larger ones one after the other by all threads.
constexpr Eigen::Index many_cells = Eigen::Index{1} << 17;

}  // namespace

WireResistance wire_resistance(const LayerHardware& hardware) {
  const WiresConfig& wires = hardware.array.wires;
  const double g_max = hardware.device.g_max();
  return {wires.r_row * g_max, wires.r_col * g_max, wires.r_row_end * g_max, wires.r_col_end * g_max};
}

std::vector<SliceCells> wired_conductances(std::vector<SliceCells> cells, const std::vector<Part>& row_parts,
                                           const std::vector<Part>& col_parts, const LayerHardware& hardware,
                                           const ParallelLoop& loop) {
  const WireResistance wires = wire_resistance(hardware);
  std::vector<std::function<void()>> small;
  for (SliceCells& slice : cells) {
    for (const Part& rows : row_parts) {
      for (std::size_t part = 0; part < col_parts.size(); ++part) {
        const ArrayPlace place{rows, col_parts[part], static_cast<Eigen::Index>(part)};
        const bool interleaved = hardware.core.interleaved && slice.minus.size() > 0;
        if (Eigen::Index{place.rows.count} * place.cols.count >= many_cells) {
          solve_array(slice, place, interleaved, wires, loop);
        } else {
          small.emplace_back(
              [&slice, place, interleaved, &wires] { solve_array(slice, place, interleaved, wires, one_by_one); });
        }
      }
    }
  }
  loop(small.size(), [&](std::size_t k) { small[k](); });
  return cells;
}

}  // namespace crossgrid
