#include "crossgrid/onnx/onnx_operators.hpp"

namespace crossgrid {

void add_normalization_operators(OnnxOperators&) {}

}  // namespace crossgrid
