#include <fmt/format.h>

#include <algorithm>

#include "broadcasting.hpp"
#include "einsum.hpp"
#include "index_sources.hpp"
#include "matrix_product.hpp"

namespace crossgrid {
namespace {

OnnxTensor product_of(const OnnxNode& node, const OnnxTensor& left, const OnnxTensor& right) {
  const MatrixProduct product = matrix_product(node, left.dims(), right.dims());
  if (left.real() != right.real()) {
    throw node.error(
        fmt::format("multiplies {} by {}, expected the same type", type_name(left.type()), type_name(right.type())));
  }
  if (left.real()) {
    return OnnxTensor::of_reals(common_type({&left, &right}), product.dims,
                                multiply(product, left.as_reals(), right.as_reals()));
  }
  // Unsigned numbers may overflow.
  const auto bits = [](const OnnxTensor& tensor) {
    const std::vector<std::int64_t> values = tensor.as_integers();
    return std::vector<std::uint64_t>(values.begin(), values.end());
  };
  const std::vector<std::uint64_t> values = multiply(product, bits(left), bits(right));
  return OnnxTensor::of_integers(left.type(), product.dims, {values.begin(), values.end()});
}

std::vector<OnnxTensor> mat_mul(const OnnxNode& node, OnnxInputs inputs) {
  return {product_of(node, needed_input(node, inputs, 0), needed_input(node, inputs, 1))};
}

/// A matrix, transposed if the attribute says so.
OnnxTensor gemm_factor(const OnnxNode& node, OnnxInputs inputs, std::size_t k, const std::string& key) {
  const OnnxTensor& matrix = real_input(node, inputs, k);
  if (matrix.rank() != 2) {
    throw node.error(fmt::format("input {} is {}, expected a matrix", k, extents_text(matrix.dims())));
  }
  constexpr std::size_t swapped[] = {1, 0};
  return node.integer(key, 0) != 0 ? transposed(matrix, swapped) : matrix;
}

std::vector<OnnxTensor> gemm(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor left = gemm_factor(node, inputs, 0, "transA"), right = gemm_factor(node, inputs, 1, "transB");
  const OnnxTensor* const added = optional_input(inputs, 2);
  const MatrixProduct product = matrix_product(node, left.dims(), right.dims());
  std::vector<double> values = multiply(product, left.as_reals(), right.as_reals());
  const double alpha = node.number("alpha", 1), beta = node.number("beta", 1);
  for (double& value : values) value *= alpha;
  if (added) {
    if (broadcast_dims(node, added->dims(), product.dims) != product.dims) {
      throw node.error(fmt::format("adds {} to {}, which it is larger than", extents_text(added->dims()),
                                   extents_text(product.dims)));
    }
    const std::vector<double> more = broadcast_to(*added, product.dims).as_reals();
    for (std::size_t k = 0; k < values.size(); ++k) values[k] += beta * more[k];
  }
  return {OnnxTensor::of_reals(common_type({&left, &right, added}), product.dims, std::move(values))};
}

}  // namespace

void add_product_operators(OnnxOperators& operators) {
  operators["Einsum"] = einsum;
  operators["Gemm"] = gemm;
  operators["MatMul"] = mat_mul;
}

}  // namespace crossgrid
