#include "broadcasting.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "index_sources.hpp"
#include "operator_checks.hpp"

namespace crossgrid {

Extents broadcast_dims(const OnnxNode& node, const Extents& a, const Extents& b) {
  const std::size_t rank = std::max(a.size(), b.size());
  Extents dims(rank);
  for (std::size_t k = 0; k < rank; ++k) {
    const std::int64_t x = k + a.size() < rank ? 1 : a[k + a.size() - rank];
    const std::int64_t y = k + b.size() < rank ? 1 : b[k + b.size() - rank];
    if (x != y && x != 1 && y != 1) {
      throw node.error(fmt::format("shapes {} and {} do not fit: axis {} has {} and {}, expected equal ones or a 1",
                                   extents_text(a), extents_text(b), k, x, y));
    }
    dims[k] = x == 1 ? y : x;
  }
  checked_size(node, dims);
  return dims;
}

Extents broadcast_dims(const OnnxNode& node, std::span<const OnnxTensor* const> tensors) {
  Extents dims;
  for (const OnnxTensor* const tensor : tensors) dims = broadcast_dims(node, dims, tensor->dims());
  return dims;
}

std::vector<std::int64_t> broadcast_sources(const Extents& from, const Extents& to) {
  const Extents strides = strides_of(from);
  Extents steps(to.size(), 0);
  const std::size_t missing = to.size() - from.size();
  for (std::size_t k = 0; k < from.size(); ++k) {
    if (from[k] != 1) steps[missing + k] = strides[k];
  }
  return strided_sources(to, steps);
}

OnnxTensor broadcast_to(const OnnxTensor& tensor, const Extents& dims) {
  return tensor.dims() == dims ? tensor : tensor.picked(dims, broadcast_sources(tensor.dims(), dims));
}

}  // namespace crossgrid
