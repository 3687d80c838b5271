#pragma once

#include "crossgrid/backend/products.hpp"
#include "crossgrid/core/layer_hardware.hpp"
#include "crossgrid/network/network.hpp"

/// Convolutions whose arrays compute several windows at once (LayerHardware::window). A tile's inputs are those of its
/// windows one after the other, rows of windows first, each in the order (channel, kernel row, kernel column); outputs
/// likewise. Where the last tiles of a row or column of windows hang over the edge, their further windows are of zeros,
/// and what these give is dropped.
namespace crossgrid {

/// Tiles along a line of windows.
inline int tiles_along(int windows, int of_tile) {
  return (windows + of_tile - 1) / of_tile;
}

/// A layer as its arrays hold it: inputs, outputs and groups of all windows of a tile, an MVM per tile. The layer
/// itself where arrays hold single windows.
MatrixLayer arrayed_layer(const MatrixLayer& layer, const LayerHardware& hardware);

/// The layer as a convolution over tiles: of 1 x 1 pixels that hold all of a tile's inputs, in a single row; groups of
/// its channels are the blocks of the matrix.
ConvolutionShape tiled_geometry(const ConvolutionShape& layer, const WindowTile& tile);

/// Images (NHWC) to tiles: layer.images x tiles x inputs of a tile. fill: what drives the rows of padding and of
/// windows over the edge.
void gather_tiles(const float* images, float* tiles, const ConvolutionShape& layer, const WindowTile& tile, float fill);
/// Outputs of tiles back to images (NHWC).
void scatter_tiles(const float* tiles, float* images, const ConvolutionShape& layer, const WindowTile& tile);

}  // namespace crossgrid
