#include "crossgrid/network/row_band.hpp"

#include <algorithm>

namespace crossgrid {

namespace {

/// Of a band's currents and inputs: what stays in the second-level cache beside weights.
constexpr std::size_t band_bytes = std::size_t{192} * 1024;

std::size_t bytes_of(int a, int b) {
  return static_cast<std::size_t>(a) * static_cast<std::size_t>(b) * sizeof(float);
}

/// Rows of a band: weights are read for each anew, so there are no more bands than these are worth.
int rows_of_band(const ConvolutionShape& g, int columns) {
  const WindowAxis& axis = g.window.vertical;
  const int height = g.out_height();
  const std::size_t in_row = bytes_of(g.width, g.in_channels), out_row = bytes_of(g.out_width(), columns);
  const std::size_t all = static_cast<std::size_t>(g.height) * in_row + static_cast<std::size_t>(height) * out_row;
  if (g.images > 1 || all <= 2 * band_bytes) return height;
  const auto most = static_cast<int>(std::max<std::size_t>(1, all / bytes_of(g.rows(), columns)));
  int rows = std::max(1, (height + most - 1) / most);
  const auto bytes = [&](int some) {
    return static_cast<std::size_t>(some) * out_row +
           static_cast<std::size_t>((some - 1) * axis.stride + axis.reach()) * in_row;
  };
  while (rows < height && bytes(rows + 1) <= band_bytes) ++rows;
  return rows;
}

}  // namespace

std::vector<RowBand> row_bands(const ConvolutionShape& geometry, int columns) {
  const int height = geometry.out_height(), rows = rows_of_band(geometry, columns);
  if (rows == height) return {{0, height, 0, geometry.height, 0}};
  std::vector<RowBand> bands;
  std::vector<ConvolutionShape> shapes;
  for (int first = 0; first < height; first += rows) {
    RowBand band{first, std::min(rows, height - first), std::max(0, geometry.window.vertical.first(first)), 0, 0};
    const ConvolutionShape shape = band_geometry(geometry, band);
    band.input_rows = shape.height;
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
