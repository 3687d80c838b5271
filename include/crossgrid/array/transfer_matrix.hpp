#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "crossgrid/array/wire_segments.hpp"
#include "crossgrid/base/matrix.hpp"

namespace crossgrid {

/// Calls body(k) for every k below `count`, in any order, maybe at the same time.
using ParallelLoop = std::function<void(std::size_t count, const std::function<void(std::size_t)>& body)>;
/// The loop of one thread.
void one_by_one(std::size_t count, const std::function<void(std::size_t)>& body);

/// Transfer matrix (cols x rows) of an array (physics.md section 5, input source): currents at the ADCs = T * voltages
/// of the drivers, exactly, in units of Gmax.
///
/// By hierarchical merging of blocks in hybrid port form, the Redheffer star product of network theory (docs/wires.md):
/// nothing is divided by a resistance, so ideal wires are no special case. O(n^3). The same bits for every loop and on
/// every processor. Error(bad_input) where it would not fit into the memory that is free.
MatrixD transfer_matrix(const WiredCells& array, const ParallelLoop& loop = one_by_one);

/// What solving an array takes, in bytes: two levels of blocks, which are symmetric but stored whole.
constexpr double transfer_memory(double rows, double cols) {
  return 24 * rows * cols * sizeof(double);
}
/// The same where the blocks of all levels are kept (WiredCircuit).
constexpr double kept_memory(double rows, double cols) {
  return 150 * rows * cols * sizeof(double);
}
/// Error(bad_input) where `needed` bytes are more than `available`: says how much, and what would be less.
void check_array_memory(Eigen::Index rows, Eigen::Index cols, double needed, std::optional<std::uint64_t> available);
/// Error(bad_input) where an array that is kept would not fit into free memory.
void check_kept_memory(Eigen::Index rows, Eigen::Index cols);

}  // namespace crossgrid
