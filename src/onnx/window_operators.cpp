#include "crossgrid/onnx/onnx_operators.hpp"

namespace crossgrid {

void add_window_operators(OnnxOperators&) {}

}  // namespace crossgrid
