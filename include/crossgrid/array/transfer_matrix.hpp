#pragma once

#include "crossgrid/base/matrix.hpp"

namespace crossgrid {

/// Resistances of an array's wires, in units of 1/Gmax (ohms over
/// device.r_min); all >= 0.
struct WireResistance {
  double row = 0;      ///< of a word line, from the driver to the first cell and
                       ///< between cells; none beyond the last
  double col = 0;      ///< of a bit line, between cells and from the last cell to
                       ///< the ADC; none above the first
  double row_end = 0;  ///< of a driver, in series with its word line's first segment
  double col_end = 0;  ///< of an ADC, in series with its bit line's last segment
};

/// Transfer matrix (cols x rows) of an array whose word lines are driven from
/// the left and whose bit lines end at virtual grounds at the bottom
/// (physics.md section 5, input source): currents = T * voltages, exactly, in
/// units of Gmax. cells: rows x cols linear conductances >= 0, of Gmax. By
/// hierarchical merging of blocks in hybrid port form, the Redheffer star
/// product: nothing is divided by a resistance, so ideal wires are no special
/// case. O(n^3).
MatrixD transfer_matrix(const MatrixD& cells, const WireResistance& wires);

}  // namespace crossgrid
