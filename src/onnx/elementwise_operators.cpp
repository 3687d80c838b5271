#include "crossgrid/onnx/onnx_operators.hpp"

namespace crossgrid {

void add_elementwise_operators(OnnxOperators&) {}

}  // namespace crossgrid
