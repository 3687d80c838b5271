#include "crossgrid/base/random_stream.hpp"

namespace crossgrid {
namespace {

/// The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): a bijection that mixes all bits.
std::uint64_t mixed(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

}  // namespace

PhiloxKey stream_key(std::uint64_t seed, std::uint32_t trial, DrawPurpose purpose, std::uint32_t layer,
                     std::uint32_t array) {
  std::uint64_t key = mixed(seed);
  key = mixed(key ^ (std::uint64_t{trial} << 32 | static_cast<std::uint32_t>(purpose)));
  key = mixed(key ^ (std::uint64_t{layer} << 32 | array));
  return {{static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)}};
}

}  // namespace crossgrid
