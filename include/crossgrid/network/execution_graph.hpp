#pragma once

#include <vector>

#include "crossgrid/backend/products.hpp"
#include "crossgrid/network/network.hpp"

namespace crossgrid {

/// One operation with the clamp (a ReLU) that follows it.
struct ExecutionStep {
  int layer = 0;            ///< index in Network::layers
  Clamp clamp = no_clamp;   ///< of a following layer
  std::vector<int> inputs;  ///< tensors
  Shape input;              ///< how it sees the first one
  int output = 0;           ///< tensor
  int matrix = -1;          ///< index among the matrix layers, -1 for other operations
  int chain_end = 0;        ///< step that it may hand rows on to, through those between them; else itself
};

/// Activations between steps, NHWC.
struct ActivationTensor {
  Shape shape;
  int slot = 0;                ///< buffer: tensors whose lives don't overlap share one
  int producer = -1;           ///< step
  std::vector<int> consumers;  ///< steps
};

/// A network as it is executed: clamps fused into what precedes them, flattening of single pixels and a last softmax
/// left out. Tensor 0 is the image.
struct ExecutionGraph {
  std::vector<ExecutionStep> steps;
  std::vector<ActivationTensor> tensors;
  std::vector<std::size_t> slots;  ///< floats per image of every buffer
  int logits = 0;                  ///< tensor
};
ExecutionGraph make_execution_graph(const Network& network);

/// A matrix layer as a convolution of one image; a linear layer is one of a single pixel, a step of a recurrent layer
/// one of a pixel per sequence.
ConvolutionShape layer_geometry(const Network& network, int layer);
/// Its weights as a network stores them (outputs x inputs), and its bias (one per output, may be empty).
const Matrix& layer_weights(const Layer& layer);
const std::vector<float>& layer_bias(const Layer& layer);

}  // namespace crossgrid
