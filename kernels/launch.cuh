#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstddef>
#include <string>

#include "crossgrid/base/error.hpp"

namespace crossgrid {

inline void check_cuda(cudaError_t status, const char* what) {
  if (status != cudaSuccess) {
    throw Error(ExitCode::internal, std::string("CUDA: ") + what + ": " + cudaGetErrorString(status));
  }
}

template <class Element>
__global__ void element_kernel(std::size_t count, Element element) {
  const std::size_t stride = std::size_t{blockDim.x} * gridDim.x;
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += stride) element(i);
}

/// for_each_index on a CUDA device: element(i) for each i in [0, count). Returns at once; work is in stream order.
template <class Element>
void launch(std::size_t count, const Element& element, cudaStream_t stream = nullptr) {
  if (count == 0) return;
  constexpr std::size_t threads = 256;
  const std::size_t blocks = std::min<std::size_t>((count + threads - 1) / threads, 65535);
  element_kernel<<<static_cast<unsigned>(blocks), threads, 0, stream>>>(count, element);
  check_cuda(cudaGetLastError(), "kernel launch");
}

}  // namespace crossgrid
