#pragma once

#include <map>
#include <string>

#include "onnx_lowering.hpp"

/// How ONNX's operators become layers, one family in each onnx_*_layers.cpp; those that are in none become a
/// TensorOperation (add_general_layer).
namespace crossgrid {

/// Makes the layers of a node that depends on the image, and names its outputs. Error(bad_input) names the node.
using OnnxLayerMaker = void (*)(OnnxLowering& graph, const OnnxNode& node);
using OnnxLayerMakers = std::map<std::string, OnnxLayerMaker>;

void add_movement_layers(OnnxLayerMakers& makers);
void add_convolution_layers(OnnxLayerMakers& makers);
void add_product_layers(OnnxLayerMakers& makers);
void add_affine_layers(OnnxLayerMakers& makers);
void add_elementwise_layers(OnnxLayerMakers& makers);
void add_pool_layers(OnnxLayerMakers& makers);
void add_softmax_layers(OnnxLayerMakers& makers);
void add_recurrent_layers(OnnxLayerMakers& makers);

/// A layer that does what the operator says.
void add_general_layer(OnnxLowering& graph, const OnnxNode& node);

/// The same of an operator that does the same to every element; false: it is none.
bool add_elementwise_layer(OnnxLowering& graph, const OnnxNode& node);

}  // namespace crossgrid
