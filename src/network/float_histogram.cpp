#include "crossgrid/network/float_histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace crossgrid {

namespace {

constexpr std::uint32_t bin_count = 1u << 16;
constexpr std::uint32_t negative = 1u << 15;

/// Magnitude where a bin begins.
double bin_edge(std::uint32_t magnitude_bits) {
  const float edge = std::bit_cast<float>(magnitude_bits << 16);
  return std::isfinite(edge) ? edge : std::numeric_limits<float>::max();
}

}  // namespace

void FloatHistogram::add(const float* values, std::size_t count) {
  if (counts_.empty()) counts_.resize(bin_count, 0);
  for (std::size_t i = 0; i < count; ++i) {
    const float value = values[i];
    if (std::isnan(value)) continue;
    min_ = count_ == 0 ? value : std::min(min_, value);
    max_ = count_ == 0 ? value : std::max(max_, value);
    ++counts_[std::bit_cast<std::uint32_t>(value) >> 16];
    ++count_;
  }
}

void FloatHistogram::add_zeros(std::size_t count) {
  if (count == 0) return;
  const float zero = 0;
  add(&zero, 1);
  counts_[0] += count - 1;
  count_ += count - 1;
}

FloatHistogram& FloatHistogram::operator+=(const FloatHistogram& other) {
  if (other.count_ == 0) return *this;
  if (counts_.empty()) counts_.resize(bin_count, 0);
  for (std::size_t k = 0; k < bin_count; ++k) counts_[k] += other.counts_[k];
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = count_ == 0 ? other.max_ : std::max(max_, other.max_);
  count_ += other.count_;
  return *this;
}

std::vector<FloatHistogram::Bin> FloatHistogram::bins() const {
  std::vector<Bin> found;
  if (count_ == 0) return found;
  const double low = min_, high = max_;
  const auto cut = [&](double a, double b, std::uint64_t count) {
    found.push_back({std::max(a, low), std::min(b, high), count});
  };
  for (std::uint32_t k = negative - 1; k > 0; --k) {
    if (const auto n = counts_[negative | k]) cut(-bin_edge(k + 1), -bin_edge(k), n);
  }
  // What is below the normal numbers counts as zero.
  if (const auto n = counts_[0] + counts_[negative]) found.push_back({0, 0, n});
  for (std::uint32_t k = 1; k < negative; ++k) {
    if (const auto n = counts_[k]) cut(bin_edge(k), bin_edge(k + 1), n);
  }
  return found;
}

}  // namespace crossgrid
