#include "crossgrid/array/transfer_matrix.hpp"

#include <fmt/format.h>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/memory.hpp"
#include "solver_loop.hpp"

namespace crossgrid {
namespace {

/// Arrays that take less, in bytes, are solved without asking how much is free: a network has thousands of them.
constexpr double small_array = 1e8;

void check_free_memory(Eigen::Index rows, Eigen::Index cols, double needed) {
  if (needed > small_array) check_array_memory(rows, cols, needed, available_memory());
}

}  // namespace

void one_by_one(std::size_t count, const std::function<void(std::size_t)>& body) {
  for (std::size_t k = 0; k < count; ++k) body(k);
}

void check_array_memory(Eigen::Index rows, Eigen::Index cols, double needed, std::optional<std::uint64_t> available) {
  if (!available || needed <= static_cast<double>(*available)) return;
  throw Error(ExitCode::bad_input,
              fmt::format("an array with wires of {} x {} cells takes {:.2g} GB to solve, but only {:.2g} GB are free: "
                          "smaller arrays (array.rows_max, array.cols_max) take less",
                          rows, cols, needed * 1e-9, static_cast<double>(*available) * 1e-9));
}

void check_kept_memory(Eigen::Index rows, Eigen::Index cols) {
  check_free_memory(rows, cols, kept_memory(static_cast<double>(rows), static_cast<double>(cols)));
}

MatrixD transfer_matrix(const WiredCells& array, const ParallelLoop& loop) {
  const Eigen::Index rows = array.cells.rows(), cols = array.cells.cols();
  check_free_memory(rows, cols, transfer_memory(static_cast<double>(rows), static_cast<double>(cols)));
  MatrixD transfer(cols, rows);
  avx2::solve_transfer(plain_array(array), plain_loop(loop), transfer.data());
  return transfer;
}

}  // namespace crossgrid
