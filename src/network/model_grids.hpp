#pragma once

#include <functional>
#include <map>
#include <string>

#include "crossgrid/network/network.hpp"
#include "crossgrid/onnx/onnx_graph.hpp"

/// Scales of quantised (QAT) models: what DequantizeLinear nodes say of the products behind them.
namespace crossgrid {

/// Nodes by the names of the values that they make.
using OnnxMakers = std::map<std::string, const OnnxNode*>;
/// A value that does not depend on the image; null: it does.
using OnnxConstants = std::function<const OnnxTensor*(const std::string&)>;

/// The grids on which a product's inputs and weights lie: those of the DequantizeLinear in front of it, between which
/// values are only moved or picked. Inputs need one scale; weights one for each output or for all, and a zero point of
/// 0.
ModelGrids model_grids(const OnnxNode& product, const OnnxMakers& makers, const OnnxConstants& constant);

/// Drops the weights' grids of layers whose weights do not lie on them: a batch norm was folded into them, they are
/// multiplied by another number, or scales are of something else than outputs.
void drop_left_grids(Network& network);

}  // namespace crossgrid
