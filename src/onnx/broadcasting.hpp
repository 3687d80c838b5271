#pragma once

#include <span>

#include "crossgrid/onnx/onnx_operators.hpp"

/// Values of different shapes together, as NumPy has it: axes count from the last, extents of 1 are repeated.
namespace crossgrid {

/// The extents that all fit. Error where they do not.
Extents broadcast_dims(const OnnxNode& node, const Extents& a, const Extents& b);
Extents broadcast_dims(const OnnxNode& node, std::span<const OnnxTensor* const> tensors);

/// For every place of `to`, the place in a tensor of `from`, which fits.
std::vector<std::int64_t> broadcast_sources(const Extents& from, const Extents& to);
OnnxTensor broadcast_to(const OnnxTensor& tensor, const Extents& dims);

}  // namespace crossgrid
