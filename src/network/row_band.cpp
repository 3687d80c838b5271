#include "crossgrid/network/row_band.hpp"

#include <algorithm>

namespace crossgrid {

namespace {

/// Of a band's currents: what stays in the second-level cache beside weights and inputs.
constexpr std::size_t band_bytes = std::size_t{128} * 1024;

}  // namespace

std::vector<RowBand> row_bands(const ConvolutionShape& geometry, int columns) {
  const int height = geometry.out_height();
  const std::size_t row =
      static_cast<std::size_t>(geometry.out_width()) * static_cast<std::size_t>(columns) * sizeof(float);
  if (geometry.images > 1 || row * static_cast<std::size_t>(height) <= 2 * band_bytes) return {{0, height, 0, 0}};
  const int rows = std::max(1, static_cast<int>(band_bytes / row));
  std::vector<RowBand> bands;
  std::vector<ConvolutionShape> shapes;
  for (int first = 0; first < height; first += rows) {
    RowBand band{first, std::min(rows, height - first), std::max(0, geometry.window.vertical.first(first)), 0};
    const ConvolutionShape shape = band_geometry(geometry, band);
    const auto found = std::ranges::find(shapes, shape);
    band.shape = static_cast<int>(found - shapes.begin());
    if (found == shapes.end()) shapes.push_back(shape);
    bands.push_back(band);
  }
  return bands;
}

ConvolutionShape band_geometry(const ConvolutionShape& geometry, const RowBand& band) {
  ConvolutionShape shape = geometry;
  if (band.rows == geometry.out_height()) return shape;
  WindowAxis& axis = shape.window.vertical;
  const int top = axis.first(band.first), bottom = axis.first(band.first + band.rows - 1) + axis.reach();
  axis.before = std::max(0, -top), axis.after = std::max(0, bottom - geometry.height);
  shape.height = std::min(bottom, geometry.height) - std::max(0, top);
  return shape;
}

}  // namespace crossgrid
