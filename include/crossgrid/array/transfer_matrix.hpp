#pragma once

#include <cstddef>
#include <functional>

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
/// every processor.
MatrixD transfer_matrix(const WiredCells& array, const ParallelLoop& loop = one_by_one);

}  // namespace crossgrid
