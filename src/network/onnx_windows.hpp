#pragma once

#include <cstdint>
#include <optional>

#include "crossgrid/base/window.hpp"
#include "crossgrid/onnx/onnx_graph.hpp"

/// The windows of ONNX's convolutions and pools over one or two dimensions (of one: an image one pixel high).
namespace crossgrid {

/// Of a convolution: input [1, channels, ...], weights [outputs, channels of a group, ...].
Window read_window(const OnnxNode& node, const Extents& input, const Extents& weights);

/// Of a pool. Empty where it can't be said by a window over a padded image whose every window has a pixel (ceil_mode
/// may ask for more).
std::optional<Window> read_pool_window(const OnnxNode& node, const Extents& input);

/// One axis of a transposed convolution: pixels lie `stride` apart in an image of `extent`, zeros between them.
struct SpreadAxis {
  std::int64_t input = 1, extent = 1, before = 0, stride = 1;
  /// The pixel of the input at a place; -1: a zero.
  std::int64_t source(std::int64_t place) const {
    const std::int64_t from = place - before;
    return from >= 0 && from % stride == 0 && from / stride < input ? from / stride : -1;
  }
};
struct SpreadWindow {
  SpreadAxis vertical, horizontal;
  Window window;  ///< of the convolution over the spread image: stride 1, no padding
};
/// Of a transposed convolution: weights [channels, outputs of a group, ...].
SpreadWindow read_spread_window(const OnnxNode& node, const Extents& input, const Extents& weights);

}  // namespace crossgrid
