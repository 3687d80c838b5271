#pragma once

#include <cstddef>

namespace crossgrid::avx2 {

/// An array of linear cells and its wires, in units of Gmax and 1/Gmax.
struct WiredArray {
  std::ptrdiff_t rows = 0, cols = 0;
  const double* cells = nullptr;         ///< rows x cols, row-major, >= 0
  const double* row_segments = nullptr;  ///< [cols]: of a word line, left of each column; the driver's with the first
  const double* col_segments = nullptr;  ///< [rows]: of a bit line, below each row; the ADC's with the last
};

/// A loop whose rounds may run at the same time. Plain pointers: no instance of a standard template leaves AVX2 code.
struct Loop {
  void (*run)(const void* loop, std::size_t count, void (*body)(const void* task, std::size_t index), const void* task);
  const void* loop;

  template <class Body>
  void operator()(std::size_t count, const Body& body) const {
    run(
        loop, count, [](const void* task, std::size_t index) { (*static_cast<const Body*>(task))(index); }, &body);
  }
};

/// Writes the transfer matrix (cols x rows, row-major). The same bits for every loop.
void solve_transfer(const WiredArray& array, const Loop& loop, double* transfer);

/// An array that was solved, with what is needed to find the voltages inside it.
struct KeptArray;
KeptArray* keep_array(const WiredArray& array, const Loop& loop);
void drop_array(const KeptArray* array);

/// What drives `count` circuits of the same cells; row-major, one column per circuit. Null: 0.
struct Sources {
  std::ptrdiff_t count = 1;
  const double* drivers = nullptr;   ///< rows x count, voltages
  const double* adcs = nullptr;      ///< cols x count, voltages of the ADCs' ends
  const double* injected = nullptr;  ///< cells x count, currents beside the cells, from word to bit line
};
/// Null: not wanted.
struct Response {
  double* driver_currents = nullptr;  ///< rows x count, into the array
  double* adc_currents = nullptr;     ///< cols x count, out of it
  double* cell_voltages = nullptr;    ///< cells x count
  double* cell_currents = nullptr;    ///< cells x count, the injected ones with them
};
/// The cells that sources and responses are about: places[k] = row cols + col, distinct; null: all, in that order. Only
/// the blocks that hold one of them are visited.
struct CellList {
  const std::ptrdiff_t* places = nullptr;
  std::ptrdiff_t count = 0;
};
void solve_kept(const KeptArray& array, const CellList& cells, const Sources& sources, const Response& response);
/// Writes the transfer matrix (cols x rows, row-major).
void kept_transfer(const KeptArray& array, double* transfer);

}  // namespace crossgrid::avx2
