#include "crossgrid/onnx/onnx_operators.hpp"

namespace crossgrid {

void add_product_operators(OnnxOperators&) {}

}  // namespace crossgrid
