#pragma once

#include <span>
#include <vector>

#include "crossgrid/onnx/onnx_operators.hpp"

/// Where the values of a result come from: lists of positions for OnnxTensor::picked(). Callers bound the result's
/// size.
namespace crossgrid {

using Sources = std::vector<std::int64_t>;

/// How far apart neighbours along every axis are.
Extents strides_of(const Extents& dims);

/// For every place of `dims`: the sum of its coordinates times `strides`.
Sources strided_sources(const Extents& dims, const Extents& strides);

/// For every place of the grid of as many extents as `along` has lists: the place in a tensor of `from` whose
/// coordinate along each axis is the list's entry; -1 where one is.
Sources grid_sources(const Extents& from, std::span<const Sources> along);

/// 0, 1, ... count - 1.
Sources counted(std::int64_t count);

/// The axes reordered: axis k of the result is axis order[k].
OnnxTensor transposed(const OnnxTensor& tensor, std::span<const std::size_t> order);

/// The values of all in one row, of the type that fits all: reals of different types become float64 if one is, else the
/// first's. Error where integers are of different types or meet reals.
OnnxTensor joined(const OnnxNode& node, std::span<const OnnxTensor* const> tensors);
ElementType fitting_type(const OnnxNode& node, std::span<const OnnxTensor* const> tensors);

/// A tensor's extents before, at and behind an axis, multiplied.
struct AxisView {
  std::int64_t outer = 1, extent = 1, inner = 1;
  Extents dims() const { return {outer, extent, inner}; }
};
AxisView view_at(const Extents& dims, std::size_t axis);

}  // namespace crossgrid
