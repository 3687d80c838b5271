#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace crossgrid {

/// Counts floats in bins of equal sign, exponent and first 7 bits of mantissa (relative width below 1/128), and keeps
/// the exact extremes. Integers only: the same histogram in whatever order and grouping values come.
class FloatHistogram {
 public:
  /// Values of a bin lie in [low, high], taken as spread evenly; zero is a bin of its own.
  struct Bin {
    double low, high;
    std::uint64_t count;
  };

  void add(const float* values, std::size_t count);
  void add_zeros(std::size_t count);
  FloatHistogram& operator+=(const FloatHistogram& other);

  std::uint64_t count() const { return count_; }  ///< NaN not counted
  double min() const { return min_; }             ///< 0 where empty
  double max() const { return max_; }
  /// Bins that hold values, ascending, cut to [min, max].
  std::vector<Bin> bins() const;

 private:
  std::vector<std::uint64_t> counts_;  ///< by the upper 16 bits; empty before the first value
  std::uint64_t count_ = 0;
  float min_ = 0, max_ = 0;
};

}  // namespace crossgrid
