#include "crossgrid/network/tensor_evaluation.hpp"

#include <algorithm>

#include "crossgrid/onnx/onnx_operators.hpp"

namespace crossgrid {
namespace {

/// Evaluates the node; value_of(operand) makes the tensors of those that are no constants.
template <class ValueOf>
OnnxTensor evaluate_with(const TensorOperation& operation, const ValueOf& value_of) {
  std::vector<OnnxTensor> made;
  made.reserve(operation.operands.size());
  std::vector<const OnnxTensor*> given;
  for (const TensorOperation::Operand& operand : operation.operands) {
    if (operand.constant) {
      given.push_back(&*operand.constant);
    } else if (operand.input < 0) {
      given.push_back(nullptr);
    } else {
      OnnxTensor value = value_of(operand);
      if (!is_real(operand.type)) value = value.cast(operand.type);
      made.push_back(operand.sources.empty() ? value : value.picked(operand.dims, operand.sources));
      given.push_back(&made.back());
    }
  }
  std::vector<OnnxTensor> results = evaluate(*operation.node, given);
  return std::move(results.at(static_cast<std::size_t>(operation.result)));
}

void copy_floats(const OnnxTensor& from, float* to) {
  if (const auto* floats = from.floats()) {
    std::ranges::copy(*floats, to);
  } else {
    std::ranges::transform(from.as_reals(), to, [](double value) { return static_cast<float>(value); });
  }
}

}  // namespace

void run_tensor_operation(const TensorOperation& operation, std::span<const ImagesOf> inputs, float* to, int images) {
  const int at_once = operation.elementwise ? images : 1;
  for (int image = 0; image < images; image += at_once, to += operation.output.size()) {
    const OnnxTensor result = evaluate_with(operation, [&](const TensorOperation::Operand& operand) {
      const ImagesOf& input = inputs[static_cast<std::size_t>(operand.input)];
      Extents dims = operand.dims;
      if (operation.elementwise) dims.front() = images;
      const float* const first = input.values + static_cast<std::size_t>(image) * input.size;
      return OnnxTensor::of_floats(std::move(dims), {first, first + input.size * static_cast<std::size_t>(at_once)});
    });
    copy_floats(result, to);
  }
}

std::vector<double> run_tensor_operation(const TensorOperation& operation,
                                         std::span<const std::vector<double>* const> inputs) {
  const OnnxTensor result = evaluate_with(operation, [&](const TensorOperation::Operand& operand) {
    return OnnxTensor::of_reals(ElementType::float64, operand.dims, *inputs[static_cast<std::size_t>(operand.input)]);
  });
  return result.as_reals();
}

}  // namespace crossgrid
