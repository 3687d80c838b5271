#pragma once

#include <vector>

#include "crossgrid/base/matrix.hpp"
#include "crossgrid/device/cell_current.hpp"

namespace crossgrid {

/// The current of a plane of cells taken apart: a column's current is the sum over powers of (inputs^power) times a
/// plane of coefficients, one product each. The first power is 1.
struct CurrentPlane {
  int power = 1;
  Matrix coefficients;  ///< rows x cols
};
std::vector<CurrentPlane> current_planes(const Matrix& cells, const DeviceConfig& device);

}  // namespace crossgrid
