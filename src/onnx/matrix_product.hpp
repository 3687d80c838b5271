#pragma once

#include <vector>

#include "operator_checks.hpp"

namespace crossgrid {

/// A product of two batches of matrices by NumPy's rules (matmul).
struct MatrixProduct {
  std::int64_t rows = 1, inner = 1, columns = 1;
  Extents dims;                           ///< of the result
  std::vector<std::int64_t> left, right;  ///< of each matrix of the result: which ones it is made of
};

/// Bounds the result and the work.
MatrixProduct matrix_product(const OnnxNode& node, const Extents& left, const Extents& right);

template <class Number>
std::vector<Number> multiply(const MatrixProduct& product, const std::vector<Number>& left,
                             const std::vector<Number>& right) {
  std::vector<Number> result(product.left.size() * static_cast<std::size_t>(product.rows * product.columns), Number{});
  Number* to = result.data();
  for (std::size_t k = 0; k < product.left.size(); ++k) {
    const Number* a = left.data() + product.left[k] * product.rows * product.inner;
    for (std::int64_t row = 0; row < product.rows; ++row, to += product.columns) {
      const Number* b = right.data() + product.right[k] * product.inner * product.columns;
      for (std::int64_t at = 0; at < product.inner; ++at, ++a, b += product.columns) {
        for (std::int64_t column = 0; column < product.columns; ++column) to[column] += *a * b[column];
      }
    }
  }
  return result;
}

}  // namespace crossgrid
