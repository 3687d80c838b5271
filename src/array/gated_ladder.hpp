#pragma once

#include <cstddef>

namespace crossgrid::avx2 {

/// The columns of a gated array for one input pattern, in units of Gmax, 1/Gmax and the read voltage. Cell (i, j) of
/// line l carries i = g (gate_i (1 or -1 by line) - drop of its supply line - voltage of its bit line) + injected; a
/// row whose gate is 0 is cut off.
struct Ladders {
  std::ptrdiff_t rows = 0, cols = 0;
  int lines = 1;                   ///< supply lines per column: 2 of interleaved pairs, at +V and -V
  const double* cells[2] = {};     ///< by line: rows x cols, row-major
  const double* injected[2] = {};  ///< currents beside the cells, of rows that are driven; null: none
  const double* gates = nullptr;   ///< [rows]: 0, or the sign of the input
  const double* supply_segments =
      nullptr;                           ///< [rows]: of every supply line, above each row; the source's with the first
  const double* bit_segments = nullptr;  ///< [rows]: of every bit line, below each row; the ADC's with the last
};

/// Of one supply line's cells, rows x cols; 0 in rows that are cut off.
struct LadderCells {
  double* voltages = nullptr;  ///< across them, their gates' with it
  double* currents = nullptr;
};

/// Currents into the ADCs (cols). cells: by line; null: not wanted.
void solve_ladders(const Ladders& ladders, double* currents, const LadderCells* cells = nullptr);

}  // namespace crossgrid::avx2
