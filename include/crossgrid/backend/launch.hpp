#pragma once

#include <cstddef>

#include "crossgrid/base/host_device.hpp"

namespace crossgrid {

/// The loop that both backends share: element(i) for each i in [0, count), in any order. An element is a small struct
/// of pointers and constants with a CROSSGRID_HD_INLINE operator()(std::size_t) const; no two indices write the same
/// place, nor does one read what another writes. Host loops call this from a CROSSGRID_MULTIVERSION function, which
/// turns it into vectors; kernels/launch.cuh is its CUDA twin. By value: what the caller's element lies at could be
/// what its pointers write, so that its constants would be read again for each index.
template <class Element>
CROSSGRID_HD_INLINE void for_each_index(std::size_t count, const Element element) {
#if defined(__GNUC__) && !defined(__clang__) && !defined(__CUDACC__)
#pragma GCC ivdep
#endif
  for (std::size_t i = 0; i < count; ++i) element(i);
}

}  // namespace crossgrid
