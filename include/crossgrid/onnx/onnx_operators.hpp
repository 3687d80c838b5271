#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "crossgrid/onnx/onnx_graph.hpp"

/// ONNX's operators, plainly and in double (https://onnx.ai/onnx/operators/, opsets 7 to 17): for constants, for
/// operations of a network that have no faster form, and as the reference of those that have one.
namespace crossgrid {

/// A node with its inputs' values; null: left out.
using OnnxInputs = std::span<const OnnxTensor* const>;
using OnnxOperator = std::vector<OnnxTensor> (*)(const OnnxNode& node, OnnxInputs inputs);
using OnnxOperators = std::map<std::string, OnnxOperator>;

/// By name, those of the default domain.
const OnnxOperators& onnx_operators();

/// A node's outputs. Error(bad_input) names the node: unknown operators, missing inputs, shapes that do not fit.
std::vector<OnnxTensor> evaluate(const OnnxNode& node, OnnxInputs inputs);

/// A model's outputs for inputs in the order of model.inputs.
std::vector<OnnxTensor> evaluate(const OnnxModel& model, std::span<const OnnxTensor> inputs);

/// The families, one file each.
void add_unary_operators(OnnxOperators& operators);
void add_elementwise_operators(OnnxOperators& operators);
void add_movement_operators(OnnxOperators& operators);
void add_indexing_operators(OnnxOperators& operators);
void add_sorting_operators(OnnxOperators& operators);
void add_reduction_operators(OnnxOperators& operators);
void add_shape_operators(OnnxOperators& operators);
void add_constant_operators(OnnxOperators& operators);
void add_window_operators(OnnxOperators& operators);
void add_convolution_operators(OnnxOperators& operators);
void add_product_operators(OnnxOperators& operators);
void add_normalization_operators(OnnxOperators& operators);
void add_softmax_operators(OnnxOperators& operators);
void add_recurrent_operators(OnnxOperators& operators);
void add_resize_operators(OnnxOperators& operators);
void add_quantization_operators(OnnxOperators& operators);

}  // namespace crossgrid
