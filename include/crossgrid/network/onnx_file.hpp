#pragma once

#include <string>

#include "crossgrid/network/network.hpp"

namespace crossgrid {

/// Reads a trained network from an ONNX file (opset 7 and later; docs/onnx.md lists the operators). Batch norms behind
/// a product are folded into it, constants added behind one become its bias; Identity and Dropout disappear. Layers
/// have the nodes' names. Error(bad_input) names the file and the node, what was found and what was expected: truncated
/// or other files, unknown operators and attributes, shapes that do not fit, tensors that are missing.
Network read_onnx(const std::string& path);

}  // namespace crossgrid
