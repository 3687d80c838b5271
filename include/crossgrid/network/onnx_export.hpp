#pragma once

#include "crossgrid/network/network.hpp"
#include "crossgrid/onnx/onnx_graph.hpp"

namespace crossgrid {

/// A network as an ONNX model (docs/onnx.md): one node of every layer's name, others beside it where values must be
/// brought into shape. Input: [batch, channels, height, width], or [batch, features] of vectors, in float32, as the
/// network takes it (Network::preprocess is not part of it); output: [batch, classes]. The batch is open, but 1 where a
/// layer is done image by image (a TensorOperation that is not elementwise). Opset 17, or that of the file which such
/// layers are from. read_onnx() of it gives a network of the same logits.
OnnxModel onnx_model_of(const Network& network);

}  // namespace crossgrid
