#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "crossgrid/network/network.hpp"
#include "crossgrid/onnx/onnx_tensor.hpp"

namespace crossgrid {

/// A value of an ONNX graph while it is made a network: a constant, or what a layer makes of one image.
struct OnnxLayerValue {
  std::shared_ptr<const OnnxTensor> constant;  ///< null: of a layer
  int layer = -1;                              ///< index in Network::layers; -1: the image
  Extents dims;
  ElementType type = ElementType::float32;
  std::vector<int> order;  ///< memory holds dimension order[0] slowest, order.back() fastest

  int rank() const { return static_cast<int>(dims.size()); }
};

/// Dimensions in order: the last one fastest.
std::vector<int> row_major_order(int rank);
/// Batch, pixels, channels: how products and pools want rank 3 and more.
std::vector<int> channels_last_order(int rank);

/// The order with a dimension moved to its end.
std::vector<int> with_last(std::vector<int> order, int dimension);

/// Whether memory in either order is the same: where they differ in dimensions of size 1 only.
bool same_memory(const Extents& dims, const std::vector<int>& a, const std::vector<int>& b);

/// By element in row-major order: its place in memory.
std::vector<std::int64_t> memory_places(const Extents& dims, const std::vector<int>& order);

/// By place in memory of `order`: the element in row-major order.
std::vector<std::int64_t> elements_in_memory(const Extents& dims, const std::vector<int>& order);

/// A tensor's elements as memory of `order` holds them, its dimensions in that order.
OnnxTensor in_memory_order(const OnnxTensor& tensor, const std::vector<int>& order);

/// Values in single precision.
std::vector<float> floats_of(const OnnxTensor& tensor);
OnnxTensor zeros_of(ElementType type, const Extents& dims);

/// Memory of that order as an image: the fastest dimension as channels; of rank 4 in channels-last order height and
/// width too, else all others as width.
Shape memory_shape(const Extents& dims, const std::vector<int>& order);

/// Whether values are taken in (c, h, w) order from an image.
bool flattens(std::span<const std::int64_t> sources, const Shape& image);

/// What makes an output of which each value is at `sources`: inputs one after the other, each as long as `sizes` says;
/// -1: fill. A Flatten where it is that of the first input, which is seen as `view`; else copies with the shape
/// `output`.
Operation copies_of(std::span<const std::int64_t> sources, std::span<const std::int64_t> sizes, float fill,
                    const Shape& view, const Shape& output);

}  // namespace crossgrid
