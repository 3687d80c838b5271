#include "crossgrid/onnx/onnx_operators.hpp"

namespace crossgrid {

void add_resize_operators(OnnxOperators&) {}

}  // namespace crossgrid
