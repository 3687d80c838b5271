#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace crossgrid {

/// Which combinations of a grid are left after exclusions, one bit each: finds the n-th one in a few steps.
class KeptPoints {
 public:
  KeptPoints(std::uint64_t product, const std::function<bool(std::uint64_t)>& keeps);

  std::uint64_t size() const { return before_.back(); }
  /// Place in the whole product of the n-th kept combination, n < size().
  std::uint64_t operator[](std::uint64_t n) const;

 private:
  std::vector<std::uint64_t> bits_;
  std::vector<std::uint64_t> before_;  ///< kept combinations before each block of words, and all of them at the end
};

}  // namespace crossgrid
