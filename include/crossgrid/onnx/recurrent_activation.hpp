#pragma once

#include <map>
#include <string>
#include <vector>

#include "crossgrid/onnx/onnx_graph.hpp"

namespace crossgrid {

/// A function of a gate, with its two parameters.
struct RecurrentActivation {
  double (*function)(double x, double alpha, double beta) = nullptr;
  double alpha = 0, beta = 0;

  double operator()(double x) const { return function(x, alpha, beta); }
};

/// The node's, or `defaults` for each direction.
std::vector<RecurrentActivation> recurrent_activations(const OnnxNode& node, const std::vector<std::string>& defaults,
                                                       std::size_t directions);
/// The attributes of a node that say these of one direction.
std::map<std::string, OnnxAttribute> activation_attributes(const std::vector<RecurrentActivation>& activations);

}  // namespace crossgrid
