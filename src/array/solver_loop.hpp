#pragma once

#include "crossgrid/array/transfer_matrix.hpp"
#include "wired_array.hpp"

namespace crossgrid {

/// What the AVX2 code takes, which knows no standard templates.
inline avx2::Loop plain_loop(const ParallelLoop& loop) {
  return {[](const void* to, std::size_t count, void (*body)(const void*, std::size_t), const void* task) {
            (*static_cast<const ParallelLoop*>(to))(count, [=](std::size_t index) { body(task, index); });
          },
          &loop};
}
inline avx2::WiredArray plain_array(const WiredCells& array) {
  return {array.cells.rows(), array.cells.cols(), array.cells.data(), array.row_segments.data(),
          array.col_segments.data()};
}

}  // namespace crossgrid
