#pragma once

#include <Eigen/Core>
#include <vector>

#include "crossgrid/base/matrix.hpp"

namespace crossgrid {

/// Resistances of an array's wires, in units of 1/Gmax (ohms over device.r_min); all >= 0.
struct WireResistance {
  double row = 0;      ///< of a word line, from the driver to the first cell and between cells; none beyond the last
  double col = 0;      ///< of a bit line, between cells and from the last cell to the ADC; none above the first
  double row_end = 0;  ///< of a driver, in series with its word line's first segment
  double col_end = 0;  ///< of an ADC, in series with its bit line's last segment
  bool operator==(const WireResistance&) const = default;
};

/// Where the current of a cell comes from (physics.md section 5).
enum class WireSource {
  input,    ///< from the word line, which its input drives
  separate  ///< from a supply line beside the bit line; the input only gates the cell
};

/// Where a matrix lies in an array of more rows whose cells are gated.
enum class UsedRows {
  top,    ///< the last bit line segment is longer
  bottom  ///< the first supply segment is longer
};

/// How read noise meets wires (physics.md section 5).
enum class WireNoise {
  first_order,  ///< what each cell's change does to the outputs, by adjoint sensitivities; errors are of second order
  exact         ///< the array is solved again with the cells as they are read
};

/// Linear cells between word lines, which are driven from the left, and bit lines, which end at ADCs (virtual grounds)
/// below; in units of Gmax and 1/Gmax.
struct WiredCells {
  MatrixD cells;                     ///< rows x cols, >= 0
  std::vector<double> row_segments;  ///< [cols]: of every word line, left of each column; the driver's with the first
  std::vector<double> col_segments;  ///< [rows]: of every bit line, below each row; the ADC's with the last
};

/// An array of single cells.
WiredCells wired_cells(MatrixD cells, const WireResistance& wires);

/// An array of interleaved pairs (all rows x cols): both cells of a pair meet the bit line at one node. Rows 2i and
/// 2i + 1 are the word lines of pair i, driven by +V and -V.
WiredCells interleaved_cells(const MatrixD& plus, const MatrixD& minus, const WireResistance& wires);

}  // namespace crossgrid
