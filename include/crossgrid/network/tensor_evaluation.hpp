#pragma once

#include <span>
#include <vector>

#include "crossgrid/network/network.hpp"
#include "crossgrid/network/tensor_operations.hpp"

namespace crossgrid {

/// A layer that has no form of its own, as its ONNX operator does it: micro-batches in float32. to: `images` outputs.
void run_tensor_operation(const TensorOperation& operation, std::span<const ImagesOf> inputs, float* to, int images);

/// The same of one image in double.
std::vector<double> run_tensor_operation(const TensorOperation& operation,
                                         std::span<const std::vector<double>* const> inputs);

}  // namespace crossgrid
