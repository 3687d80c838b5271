#include "crossgrid/onnx/onnx_operators.hpp"

namespace crossgrid {

void add_recurrent_operators(OnnxOperators&) {}

}  // namespace crossgrid
