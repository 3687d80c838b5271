#pragma once

#include <cstddef>

#include "crossgrid/array/transfer_matrix.hpp"
#include "crossgrid/backend/executor.hpp"

namespace crossgrid {

/// body(matrix, lane, loop) for every matrix: side by side, but for those with wires, whose arrays take all threads by
/// themselves.
template <class HasWires, class Body>
void program_in_parallel(Executor& executor, std::size_t count, const HasWires& has_wires, const Body& body) {
  executor.run(count, [&](std::size_t matrix, int lane) {
    if (!has_wires(matrix)) body(matrix, lane, one_by_one);
  });
  const ParallelLoop all_threads = [&](std::size_t rounds, const std::function<void(std::size_t)>& round) {
    executor.run(rounds, [&](std::size_t k, int) { round(k); });
  };
  for (std::size_t matrix = 0; matrix < count; ++matrix) {
    if (has_wires(matrix)) body(matrix, 0, all_threads);
  }
}

}  // namespace crossgrid
