#include "crossgrid/data/image_resize.hpp"

#include <algorithm>
#include <cmath>

namespace crossgrid {
namespace {

constexpr int fraction_bits = 32 - 8 - 2;  ///< of weights: sums of bytes times them fit 32 bits

/// The pixels along one line that a pixel of the result is the weighted sum of.
struct Taps {
  int first = 0;
  std::vector<std::int32_t> weights;
};

std::vector<Taps> make_taps(int from, int to) {
  const double step = static_cast<double>(from) / to, support = std::max(step, 1.0), slope = 1.0 / support;
  std::vector<Taps> taps(static_cast<std::size_t>(to));
  for (int place = 0; place < to; ++place) {
    const double centre = (place + 0.5) * step;
    const int first = std::max(static_cast<int>(centre - support + 0.5), 0);
    const int last = std::min(static_cast<int>(centre + support + 0.5), from);
    std::vector<double> weights;
    double sum = 0;
    for (int k = 0; k < last - first; ++k) {
      weights.push_back(std::max(1.0 - std::abs((k + first - centre + 0.5) * slope), 0.0));
      sum += weights.back();
    }
    Taps& found = taps[static_cast<std::size_t>(place)];
    found.first = first;
    for (const double weight : weights) {
      found.weights.push_back(static_cast<std::int32_t>(0.5 + weight / sum * (1 << fraction_bits)));
    }
  }
  return taps;
}

/// The weighted sum of groups of bytes (a pixel's channels, or a row) that lie `stride` apart.
void sum_taps(const std::uint8_t* from, std::size_t stride, const Taps& taps, std::span<std::int32_t> sums,
              std::uint8_t* to) {
  from += static_cast<std::size_t>(taps.first) * stride;
  std::ranges::fill(sums, 1 << (fraction_bits - 1));
  for (const std::int32_t weight : taps.weights) {
    for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += from[k] * weight;
    from += stride;
  }
  for (const std::int32_t sum : sums) *to++ = static_cast<std::uint8_t>(std::clamp(sum >> fraction_bits, 0, 255));
}

}  // namespace

void resize_image(std::span<const std::uint8_t> from, ImageSize from_size, int channels, ImageSize to_size,
                  std::vector<std::uint8_t>& to) {
  const auto pixel = static_cast<std::size_t>(channels);
  const std::size_t from_row = static_cast<std::size_t>(from_size.width) * pixel;
  const std::size_t to_row = static_cast<std::size_t>(to_size.width) * pixel;
  std::vector<std::uint8_t> narrow;
  std::vector<std::int32_t> sums(to_row);
  if (to_size.width != from_size.width) {
    const std::vector<Taps> columns = make_taps(from_size.width, to_size.width);
    narrow.resize(static_cast<std::size_t>(from_size.height) * to_row);
    for (std::size_t y = 0; y < static_cast<std::size_t>(from_size.height); ++y) {
      for (std::size_t x = 0; x < columns.size(); ++x) {
        sum_taps(from.data() + y * from_row, pixel, columns[x], std::span(sums).first(pixel),
                 narrow.data() + y * to_row + x * pixel);
      }
    }
    from = narrow;
  }
  to.resize(static_cast<std::size_t>(to_size.height) * to_row);
  if (to_size.height == from_size.height) {
    std::ranges::copy(from, to.begin());
    return;
  }
  const std::vector<Taps> rows = make_taps(from_size.height, to_size.height);
  for (std::size_t y = 0; y < rows.size(); ++y) sum_taps(from.data(), to_row, rows[y], sums, to.data() + y * to_row);
}

}  // namespace crossgrid
