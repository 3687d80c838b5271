#include "crossgrid/onnx/onnx_operators.hpp"

namespace crossgrid {

void add_movement_operators(OnnxOperators&) {}

}  // namespace crossgrid
