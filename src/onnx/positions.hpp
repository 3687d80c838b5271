#pragma once

#include <cstddef>

#include "crossgrid/onnx/onnx_tensor.hpp"

namespace crossgrid {

/// The next position within the extents, last axis fastest; false (and all zeros) behind the last one.
inline bool advance(Extents& at, const Extents& dims) {
  for (std::size_t k = dims.size(); k-- > 0;) {
    if (++at[k] < dims[k]) return true;
    at[k] = 0;
  }
  return false;
}

}  // namespace crossgrid
