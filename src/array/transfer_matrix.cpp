#include "crossgrid/array/transfer_matrix.hpp"

#include "wired_array.hpp"

namespace crossgrid {

void one_by_one(std::size_t count, const std::function<void(std::size_t)>& body) {
  for (std::size_t k = 0; k < count; ++k) body(k);
}

MatrixD transfer_matrix(const WiredCells& array, const ParallelLoop& loop) {
  const avx2::Loop plain{
      [](const void* to, std::size_t count, void (*body)(const void*, std::size_t), const void* task) {
        (*static_cast<const ParallelLoop*>(to))(count, [=](std::size_t index) { body(task, index); });
      },
      &loop};
  MatrixD transfer(array.cells.cols(), array.cells.rows());
  avx2::solve_transfer({array.cells.rows(), array.cells.cols(), array.cells.data(), array.row_segments.data(),
                        array.col_segments.data()},
                       plain, transfer.data());
  return transfer;
}

}  // namespace crossgrid
