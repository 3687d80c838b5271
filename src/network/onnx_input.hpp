#pragma once

#include <string>

#include "onnx_value.hpp"

namespace crossgrid {

/// A model's input as a network's: one image, kept channels last.
struct OnnxInput {
  OnnxLayerValue value;
  Shape shape;
};

/// Error(bad_input) names the file and the input: no fixed shape, too large.
OnnxInput onnx_input(const OnnxValue& input, const std::string& file);

}  // namespace crossgrid
