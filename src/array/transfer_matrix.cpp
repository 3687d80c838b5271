#include "crossgrid/array/transfer_matrix.hpp"

#include <fmt/format.h>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/memory.hpp"
#include "wired_array.hpp"

namespace crossgrid {
namespace {

/// Arrays that take less, in bytes, are solved without asking how much is free: a network has thousands of them.
constexpr double small_array = 1e8;

}  // namespace

void one_by_one(std::size_t count, const std::function<void(std::size_t)>& body) {
  for (std::size_t k = 0; k < count; ++k) body(k);
}

void check_transfer_memory(Eigen::Index rows, Eigen::Index cols, std::optional<std::uint64_t> available) {
  const double needed = transfer_memory(static_cast<double>(rows), static_cast<double>(cols));
  if (!available || needed <= static_cast<double>(*available)) return;
  throw Error(ExitCode::bad_input,
              fmt::format("an array with wires of {} x {} cells takes {:.2g} GB to solve, but only {:.2g} GB are free: "
                          "smaller arrays (array.rows_max, array.cols_max) take less",
                          rows, cols, needed * 1e-9, static_cast<double>(*available) * 1e-9));
}

MatrixD transfer_matrix(const WiredCells& array, const ParallelLoop& loop) {
  const avx2::Loop plain{
      [](const void* to, std::size_t count, void (*body)(const void*, std::size_t), const void* task) {
        (*static_cast<const ParallelLoop*>(to))(count, [=](std::size_t index) { body(task, index); });
      },
      &loop};
  const Eigen::Index rows = array.cells.rows(), cols = array.cells.cols();
  if (transfer_memory(static_cast<double>(rows), static_cast<double>(cols)) > small_array) {
    check_transfer_memory(rows, cols, available_memory());
  }
  MatrixD transfer(cols, rows);
  avx2::solve_transfer({rows, cols, array.cells.data(), array.row_segments.data(), array.col_segments.data()}, plain,
                       transfer.data());
  return transfer;
}

}  // namespace crossgrid
