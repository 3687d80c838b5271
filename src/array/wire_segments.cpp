#include "crossgrid/array/wire_segments.hpp"

#include <utility>

namespace crossgrid {
namespace {

std::vector<double> row_segments(const WireResistance& wires, Eigen::Index cols) {
  std::vector<double> segments(static_cast<std::size_t>(cols), wires.row);
  segments.front() += wires.row_end;
  return segments;
}

}  // namespace

WiredCells wired_cells(MatrixD cells, const WireResistance& wires) {
  std::vector<double> col_segments(static_cast<std::size_t>(cells.rows()), wires.col);
  col_segments.back() += wires.col_end;
  std::vector<double> along_rows = row_segments(wires, cells.cols());
  return {std::move(cells), std::move(along_rows), std::move(col_segments)};
}

WiredCells interleaved_cells(const MatrixD& plus, const MatrixD& minus, const WireResistance& wires) {
  MatrixD cells(2 * plus.rows(), plus.cols());
  std::vector<double> col_segments(static_cast<std::size_t>(cells.rows()), 0);
  for (Eigen::Index i = 0; i < plus.rows(); ++i) {
    cells.row(2 * i) = plus.row(i);
    cells.row(2 * i + 1) = minus.row(i);
    col_segments[static_cast<std::size_t>(2 * i + 1)] = wires.col;
  }
  col_segments.back() += wires.col_end;
  std::vector<double> along_rows = row_segments(wires, cells.cols());
  return {std::move(cells), std::move(along_rows), std::move(col_segments)};
}

}  // namespace crossgrid
