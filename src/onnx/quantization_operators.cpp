#include "quantization.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "convolution.hpp"
#include "crossgrid/base/rounding.hpp"
#include "matrix_product.hpp"

namespace crossgrid {
namespace {

/// The attribute, 1 where it is left out; one scale for all needs none.
std::size_t quantized_axis(const OnnxNode& node, const OnnxTensor& input, const OnnxTensor& scale) {
  return scale.size() == 1 ? 0 : checked_axis(node, node.integer("axis", 1), input.dims().size());
}

void check_zero_point(const OnnxNode& node, const OnnxTensor& scale, const OnnxTensor* zero_point) {
  if (zero_point) check_dims(node, *zero_point, scale.dims(), "input 2 (zero point)");
}

/// The quotients in the input's precision, where their ties are.
std::vector<double> quotients(const OnnxTensor& input, const std::vector<double>& scales) {
  std::vector<double> values = input.as_reals();
  for (std::size_t k = 0; k < values.size(); ++k) values[k] /= scales[k];
  return input.type() == ElementType::float64
             ? values
             : OnnxTensor::of_reals(ElementType::float32, input.dims(), std::move(values)).as_reals();
}

std::vector<OnnxTensor> quantize_linear(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor &input = needed_input(node, inputs, 0), &scale = real_input(node, inputs, 1);
  const OnnxTensor* const zero_point = optional_input(inputs, 2);
  check_zero_point(node, scale, zero_point);
  const std::size_t axis = quantized_axis(node, input, scale);
  const std::vector<double> zeros = zero_point ? spread(node, *zero_point, input.dims(), axis)
                                               : std::vector<double>(static_cast<std::size_t>(input.size()), 0.0);
  return {quantized(node, zero_point ? zero_point->type() : ElementType::uint8, input.dims(),
                    quotients(input, spread(node, scale, input.dims(), axis)), zeros)};
}

std::vector<OnnxTensor> dequantize_linear(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor &input = integer_input(node, inputs, 0), &scale = real_input(node, inputs, 1);
  const OnnxTensor* const zero_point = optional_input(inputs, 2);
  check_zero_point(node, scale, zero_point);
  const std::size_t axis = quantized_axis(node, input, scale);
  std::vector<double> values = less_zero_point(node, input, zero_point, axis);
  const std::vector<double> scales = spread(node, scale, input.dims(), axis);
  for (std::size_t k = 0; k < values.size(); ++k) values[k] *= scales[k];
  return {OnnxTensor::of_reals(scale.type(), input.dims(), std::move(values))};
}

/// To unsigned bytes by a scale that spans all values and 0.
std::vector<OnnxTensor> dynamic_quantize_linear(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = real_input(node, inputs, 0);
  double least = 0, most = 0;
  for (const double value : input.as_reals()) least = std::min(least, value), most = std::max(most, value);
  const ElementType type = common_type({&input});
  const double span = least == most ? 1 : (most - least) / 255;
  const OnnxTensor scale = OnnxTensor::of_reals(type, {}, {span});
  const OnnxTensor zero_point = quantized(node, ElementType::uint8, {},
                                          quotients(OnnxTensor::of_reals(type, {}, {-least}), scale.as_reals()), {0});
  const OnnxTensor* const parts[] = {&input, &scale, &zero_point};
  std::vector<OnnxTensor> outputs = quantize_linear(node, parts);
  outputs.push_back(scale);
  outputs.push_back(zero_point);
  return outputs;
}

/// A quantized product: integers less their zero points, multiplied exactly.
struct Product {
  Extents dims;
  std::vector<double> values;
};

std::size_t row_axis(const OnnxTensor& matrix) {
  return static_cast<std::size_t>(std::max(matrix.rank() - 2, 0));
}
std::size_t column_axis(const OnnxTensor& matrix) {
  return static_cast<std::size_t>(std::max(matrix.rank() - 1, 0));
}

Product integer_matrix_product(const OnnxNode& node, const OnnxTensor& left, const OnnxTensor* left_zero,
                               const OnnxTensor& right, const OnnxTensor* right_zero) {
  const MatrixProduct product = matrix_product(node, left.dims(), right.dims());
  return {product.dims, multiply(product, less_zero_point(node, left, left_zero, row_axis(left)),
                                 less_zero_point(node, right, right_zero, column_axis(right)))};
}

Product integer_convolution(const OnnxNode& node, const OnnxTensor& input, const OnnxTensor* input_zero,
                            const OnnxTensor& weights, const OnnxTensor* weights_zero) {
  const Convolution sizes = convolution_of(node, input, weights);
  return {sizes.small_dims(), convolve(sizes, less_zero_point(node, input, input_zero, 1),
                                       less_zero_point(node, weights, weights_zero, 0))};
}

template <auto product_of>
std::vector<OnnxTensor> integer_product(const OnnxNode& node, OnnxInputs inputs) {
  Product product = product_of(node, integer_input(node, inputs, 0), optional_input(inputs, 2),
                               integer_input(node, inputs, 1), optional_input(inputs, 3));
  std::vector<std::int64_t> values(product.values.begin(), product.values.end());
  return {OnnxTensor::of_integers(ElementType::int32, std::move(product.dims), std::move(values))};
}

/// Real numbers of one scale, or of one for each place along an axis of the result, divided by the result's.
std::vector<OnnxTensor> requantized(const OnnxNode& node, OnnxInputs inputs, Product product, std::size_t left_axis,
                                    std::size_t right_axis) {
  const std::vector<double> left = spread(node, real_input(node, inputs, 1), product.dims, left_axis);
  const std::vector<double> right = spread(node, real_input(node, inputs, 4), product.dims, right_axis);
  const std::vector<double> scale = spread(node, real_input(node, inputs, 6), product.dims, left_axis);
  const OnnxTensor& zero_point = integer_input(node, inputs, 7);
  for (std::size_t k = 0; k < product.values.size(); ++k) product.values[k] *= left[k] * right[k] / scale[k];
  return {quantized(node, zero_point.type(), product.dims, std::move(product.values),
                    spread(node, zero_point, product.dims, left_axis))};
}

std::vector<OnnxTensor> quantized_mat_mul(const OnnxNode& node, OnnxInputs inputs) {
  Product product = integer_matrix_product(node, integer_input(node, inputs, 0), optional_input(inputs, 2),
                                           integer_input(node, inputs, 3), optional_input(inputs, 5));
  const std::size_t rank = product.dims.size();
  return requantized(node, inputs, std::move(product), rank < 2 ? 0 : rank - 2, rank < 1 ? 0 : rank - 1);
}

std::vector<OnnxTensor> quantized_conv(const OnnxNode& node, OnnxInputs inputs) {
  Product product = integer_convolution(node, integer_input(node, inputs, 0), optional_input(inputs, 2),
                                        integer_input(node, inputs, 3), optional_input(inputs, 5));
  if (const OnnxTensor* const bias = optional_input(inputs, 8)) {
    check_dims(node, *bias, {product.dims[1]}, "input 8 (bias)");
    const std::vector<double> more = spread(node, *bias, product.dims, 1);
    for (std::size_t k = 0; k < more.size(); ++k) product.values[k] += more[k];
  }
  return requantized(node, inputs, std::move(product), 1, 1);
}

}  // namespace

void add_quantization_operators(OnnxOperators& operators) {
  operators["ConvInteger"] = integer_product<integer_convolution>;
  operators["DequantizeLinear"] = dequantize_linear;
  operators["DynamicQuantizeLinear"] = dynamic_quantize_linear;
  operators["MatMulInteger"] = integer_product<integer_matrix_product>;
  operators["QLinearConv"] = quantized_conv;
  operators["QLinearMatMul"] = quantized_mat_mul;
  operators["QuantizeLinear"] = quantize_linear;
}

}  // namespace crossgrid
