#pragma once

#include <string>

#include "crossgrid/network/network.hpp"
#include "crossgrid/onnx/onnx_graph.hpp"

namespace crossgrid {

/// The network of an ONNX model (docs/onnx.md lists the operators): every product by constant weights becomes a matrix
/// layer, batch norms and constants added behind one are folded into it, what does not depend on the image is computed
/// now, data movement becomes copies or nothing at all; anything else runs as its operator says. Layers have the nodes'
/// names. Error(bad_input) names the file and the node, what was found and what was expected.
/// The last layer gives the output's values in row-major order; `output`, where not null, becomes its shape.
Network network_of(OnnxModel model, Extents* output = nullptr);

/// The same of a file; Network::content is the hash of its bytes and of those it refers to.
Network read_onnx(const std::string& path);

}  // namespace crossgrid
