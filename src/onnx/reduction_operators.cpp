#include "crossgrid/onnx/onnx_operators.hpp"

namespace crossgrid {

void add_reduction_operators(OnnxOperators&) {}

}  // namespace crossgrid
