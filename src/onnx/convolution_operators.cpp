#include "convolution.hpp"

namespace crossgrid {
namespace {

/// Adds one number per channel to every plane.
void add_bias(const OnnxNode& node, const OnnxTensor* bias, const Extents& dims, std::vector<double>& values) {
  if (!bias) return;
  check_dims(node, *bias, {dims[1]}, "input 2 (bias)");
  const std::vector<double> numbers = bias->as_reals();
  const std::size_t plane =
      numbers.empty() || dims[0] == 0 ? 0 : values.size() / static_cast<std::size_t>(dims[0]) / numbers.size();
  for (std::size_t k = 0; k < values.size(); ++k) values[k] += numbers[k / plane % numbers.size()];
}

template <auto sizes_of, auto product, auto dims_of>
std::vector<OnnxTensor> convolution(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor &input = real_input(node, inputs, 0), &weights = real_input(node, inputs, 1);
  const OnnxTensor* const bias = optional_input(inputs, 2);
  const Convolution sizes = sizes_of(node, input, weights);
  const Extents dims = (sizes.*dims_of)();
  std::vector<double> values = product(sizes, input.as_reals(), weights.as_reals());
  add_bias(node, bias, dims, values);
  return {OnnxTensor::of_reals(common_type({&input, &weights, bias}), dims, std::move(values))};
}

}  // namespace

void add_convolution_operators(OnnxOperators& operators) {
  operators["Conv"] = convolution<convolution_of, convolve, &Convolution::small_dims>;
  operators["ConvTranspose"] = convolution<transposed_convolution_of, convolve_back, &Convolution::large_dims>;
}

}  // namespace crossgrid
