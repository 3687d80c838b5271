#include "crossgrid/network/window_tiles.hpp"

#include <algorithm>

#include "crossgrid/network/tensor_operations.hpp"

namespace crossgrid {

namespace {

/// body(row, column) of every window of every tile of an image in the order of tiles; row or column may be over the
/// edge.
template <class Body>
void over_tiled_windows(const ConvolutionShape& layer, const WindowTile& tile, const Body& body) {
  const int rows = layer.out_height(), columns = layer.out_width();
  for (int top = 0; top < rows; top += tile.y) {
    for (int left = 0; left < columns; left += tile.x) {
      for (int row = top; row < top + tile.y; ++row) {
        for (int column = left; column < left + tile.x; ++column) body(row, column);
      }
    }
  }
}

}  // namespace

MatrixLayer arrayed_layer(const MatrixLayer& layer, const LayerHardware& hardware) {
  const WindowTile& tile = hardware.window;
  if (!layer.convolution || tile.windows() == 1) return layer;
  MatrixLayer arrayed = layer;
  arrayed.rows *= tile.windows(), arrayed.cols *= tile.windows(), arrayed.groups *= tile.windows();
  arrayed.out_height = 1;
  arrayed.out_width = tiles_along(layer.out_height, tile.y) * tiles_along(layer.out_width, tile.x);
  arrayed.mvms_per_image = arrayed.out_width;
  return arrayed;
}

ConvolutionShape tiled_geometry(const ConvolutionShape& layer, const WindowTile& tile) {
  ConvolutionShape tiles;
  tiles.images = layer.images;
  tiles.in_channels = layer.in_channels * layer.window.size() * tile.windows();
  tiles.width = tiles_along(layer.out_height(), tile.y) * tiles_along(layer.out_width(), tile.x);
  tiles.out_channels = layer.out_channels * tile.windows();
  tiles.groups = layer.groups * tile.windows();
  return tiles;
}

void gather_tiles(const float* images, float* tiles, const ConvolutionShape& layer, const WindowTile& tile,
                  float fill) {
  const std::ptrdiff_t inputs = std::ptrdiff_t{layer.in_channels} * layer.window.size();
  const std::ptrdiff_t image = std::ptrdiff_t{layer.in_channels} * layer.height * layer.width;
  for (int n = 0; n < layer.images; ++n, images += image) {
    over_tiled_windows(layer, tile, [&](int row, int column) {
      if (row < layer.out_height() && column < layer.out_width()) {
        gather_window(images, tiles, layer, row, column, layer.rows(), fill);
      } else {
        std::fill_n(tiles, inputs, fill);
      }
      tiles += inputs;
    });
  }
}

void scatter_tiles(const float* tiles, float* images, const ConvolutionShape& layer, const WindowTile& tile) {
  const std::ptrdiff_t outputs = layer.out_channels;
  const int width = layer.out_width();
  for (int n = 0; n < layer.images; ++n, images += outputs * layer.windows()) {
    over_tiled_windows(layer, tile, [&](int row, int column) {
      if (row < layer.out_height() && column < width) {
        std::copy_n(tiles, outputs, images + (std::ptrdiff_t{row} * width + column) * outputs);
      }
      tiles += outputs;
    });
  }
}

}  // namespace crossgrid
