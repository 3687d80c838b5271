#include "kept_points.hpp"

#include <algorithm>
#include <bit>

namespace crossgrid {

namespace {
constexpr std::uint64_t block_words = 8;
}

KeptPoints::KeptPoints(std::uint64_t product, const std::function<bool(std::uint64_t)>& keeps)
    : bits_((product + 63) / 64) {
  std::uint64_t count = 0;
  for (std::uint64_t word = 0; word < bits_.size(); ++word) {
    if (word % block_words == 0) {
      before_.push_back(count);
    }
    for (std::uint64_t index = word * 64; index < std::min(product, word * 64 + 64); ++index) {
      bits_[word] |= static_cast<std::uint64_t>(keeps(index) ? 1 : 0) << (index % 64);
    }
    count += static_cast<std::uint64_t>(std::popcount(bits_[word]));
  }
  before_.push_back(count);
}

std::uint64_t KeptPoints::operator[](std::uint64_t n) const {
  const auto block =
      static_cast<std::uint64_t>(std::upper_bound(before_.begin(), before_.end() - 1, n) - before_.begin() - 1);
  std::uint64_t left = n - before_[block];
  std::uint64_t word = block * block_words;
  while (left >= static_cast<std::uint64_t>(std::popcount(bits_[word]))) {
    left -= static_cast<std::uint64_t>(std::popcount(bits_[word]));
    ++word;
  }
  std::uint64_t bits = bits_[word];
  for (; left > 0; --left) {
    bits &= bits - 1;
  }
  return word * 64 + static_cast<std::uint64_t>(std::countr_zero(bits));
}

}  // namespace crossgrid
