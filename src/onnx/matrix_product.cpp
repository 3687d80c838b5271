#include "matrix_product.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "broadcasting.hpp"

namespace crossgrid {

MatrixProduct matrix_product(const OnnxNode& node, const Extents& left, const Extents& right) {
  if (left.empty() || right.empty()) throw node.error("multiplies a scalar, expected vectors or matrices");
  MatrixProduct product;
  const bool row = left.size() == 1, column = right.size() == 1;
  product.rows = row ? 1 : left[left.size() - 2];
  product.inner = left.back();
  product.columns = column ? 1 : right.back();
  if (product.inner != right[column ? 0 : right.size() - 2]) {
    throw node.error(
        fmt::format("multiplies {} by {}, expected matrices that fit", extents_text(left), extents_text(right)));
  }
  const Extents left_batch(left.begin(), left.end() - (row ? 1 : 2));
  const Extents right_batch(right.begin(), right.end() - (column ? 1 : 2));
  product.dims = broadcast_dims(node, left_batch, right_batch);
  const Extents batch = product.dims;
  if (!row) product.dims.push_back(product.rows);
  if (!column) product.dims.push_back(product.columns);
  checked_size(node, batch);
  check_work(node, checked_size(node, product.dims), product.inner);
  product.left = broadcast_sources(left_batch, batch);
  product.right = broadcast_sources(right_batch, batch);
  return product;
}

}  // namespace crossgrid
