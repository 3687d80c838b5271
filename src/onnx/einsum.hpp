#pragma once

#include "crossgrid/onnx/onnx_operators.hpp"

namespace crossgrid {

std::vector<OnnxTensor> einsum(const OnnxNode& node, OnnxInputs inputs);

}  // namespace crossgrid
