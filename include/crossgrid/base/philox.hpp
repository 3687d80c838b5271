#pragma once

#include <cstdint>

#include "crossgrid/base/host_device.hpp"

namespace crossgrid {

struct PhiloxKey {
  std::uint32_t word[2] = {0, 0};
  bool operator==(const PhiloxKey&) const = default;
};

struct PhiloxBlock {
  std::uint32_t word[4] = {0, 0, 0, 0};
  bool operator==(const PhiloxBlock&) const = default;
};

/// Philox4x32-10 of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC'11: 128 random bits from a counter
/// and a key, without state.
CROSSGRID_HD_INLINE PhiloxBlock philox4x32(PhiloxBlock counter, PhiloxKey key) {
  std::uint32_t c0 = counter.word[0], c1 = counter.word[1], c2 = counter.word[2], c3 = counter.word[3];
  std::uint32_t k0 = key.word[0], k1 = key.word[1];
#ifndef __CUDACC__  // nvcc unrolls by itself
  CROSSGRID_UNROLL(10)
#endif
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0;
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * c2;
    c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
    c1 = static_cast<std::uint32_t>(p1);
    c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c3 = static_cast<std::uint32_t>(p0);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

}  // namespace crossgrid
