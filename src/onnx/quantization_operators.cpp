#include "crossgrid/onnx/onnx_operators.hpp"

namespace crossgrid {

void add_quantization_operators(OnnxOperators&) {}

}  // namespace crossgrid
