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

}  // namespace crossgrid::avx2
