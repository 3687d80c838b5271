#include "crossgrid/sweep/unit_cube.hpp"

#include <algorithm>
#include <boost/random/sobol.hpp>
#include <numeric>

#include "crossgrid/base/philox.hpp"

namespace crossgrid {

namespace {

constexpr std::uint32_t sampling = 0x53414d50;  // these draws are no others of the same seed

/// Random word `index` of a dimension: the same on every machine, which no distribution of the library promises.
std::uint64_t random_word(std::uint64_t seed, std::size_t dimension, std::uint64_t index) {
  const PhiloxKey key{{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}};
  const PhiloxBlock block = philox4x32({{static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32),
                                         static_cast<std::uint32_t>(dimension), sampling}},
                                       key);
  return std::uint64_t{block.word[1]} << 32 | block.word[0];
}

/// In [0, 1): the leading bits, as many as a double holds.
double fraction(std::uint64_t word) {
  return static_cast<double>(word >> 11) * 0x1p-53;
}

}  // namespace

std::vector<UnitPoint> sobol_points(std::uint64_t count, std::size_t dimensions, std::optional<std::uint64_t> seed) {
  std::vector<std::uint64_t> shift(dimensions, 0);
  for (std::size_t d = 0; seed && d < dimensions; ++d) shift[d] = random_word(*seed, d, 0);
  boost::random::sobol sequence(dimensions);
  std::vector<UnitPoint> points(count, UnitPoint(dimensions));
  for (std::uint64_t i = 0; i < count; ++i) {
    for (std::size_t d = 0; d < dimensions; ++d) {
      // The library leaves the origin out; without it no power of two of points is a net.
      const std::uint64_t word = i == 0 ? 0 : sequence();
      points[i][d] = fraction(word ^ shift[d]);
    }
  }
  return points;
}

std::vector<UnitPoint> latin_hypercube(std::uint64_t count, std::size_t dimensions, std::uint64_t seed) {
  std::vector<UnitPoint> points(count, UnitPoint(dimensions));
  std::vector<std::uint64_t> words(count);
  std::vector<std::uint64_t> order(count);
  for (std::size_t d = 0; d < dimensions; ++d) {
    for (std::uint64_t i = 0; i < count; ++i) words[i] = random_word(seed, d, i);
    std::iota(order.begin(), order.end(), std::uint64_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::uint64_t a, std::uint64_t b) { return words[a] < words[b]; });
    for (std::uint64_t stratum = 0; stratum < count; ++stratum) {
      const double place = fraction(random_word(seed, d, count + stratum));
      const double coordinate = (static_cast<double>(stratum) + place) / static_cast<double>(count);
      points[order[stratum]][d] = std::min(coordinate, 1 - 0x1p-53);  // the last stratum may round up to 1
    }
  }
  return points;
}

}  // namespace crossgrid
