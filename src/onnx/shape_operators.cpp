#include "crossgrid/onnx/onnx_operators.hpp"

namespace crossgrid {

void add_shape_operators(OnnxOperators&) {}

}  // namespace crossgrid
