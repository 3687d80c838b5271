#include "crossgrid/device/current_planes.hpp"

namespace crossgrid {
namespace {

CROSSGRID_MULTIVERSION
void run(std::size_t count, const CoefficientOfCell& element) {
  for (std::size_t i = 0; i < count; ++i) element(i);
}

}  // namespace

std::vector<CurrentPlane> current_planes(const Matrix& cells, const DeviceConfig& device) {
  const CellCurrent current = make_cell_current(device);
  std::vector<CurrentPlane> planes;
  for (int k = 0; k < current.count; ++k) {
    CurrentPlane plane{current.terms[k].power, Matrix(cells.rows(), cells.cols())};
    run(static_cast<std::size_t>(cells.size()),
        CoefficientOfCell{cells.data(), plane.coefficients.data(), current.terms[k]});
    planes.push_back(std::move(plane));
  }
  return planes;
}

}  // namespace crossgrid
