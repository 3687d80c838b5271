#include "crossgrid/sweep/range_import.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/json.hpp"
#include "crossgrid/data/npy_file.hpp"

namespace crossgrid {

std::vector<std::vector<Interval>> import_ranges(const std::string& path, std::size_t layers) {
  const NpyArray array = read_npy(path);
  const std::size_t dimensions = array.shape.size();
  if ((dimensions != 2 && dimensions != 3) || array.shape.front() != layers || array.shape.back() != 2) {
    throw input_error(path, fmt::format("found an array of shape ({}), expected ranges: {} layers x 2, or {} layers x "
                                        "weight slices x 2",
                                        fmt::join(array.shape, ", "), layers, layers));
  }
  const std::size_t slices = dimensions == 3 ? array.shape[1] : 1;
  std::vector<std::vector<Interval>> ranges(layers);
  for (std::size_t k = 0; k < layers * slices; ++k) {
    const Interval range{array.values[2 * k], array.values[2 * k + 1]};
    if (!std::isfinite(range.low) || !std::isfinite(range.high) || !(range.low < range.high)) {
      throw input_error(path, fmt::format("found [{}, {}] for layer {}{}, expected [lo, hi] with lo < hi",
                                          shortest_number(range.low), shortest_number(range.high), k / slices,
                                          slices > 1 ? fmt::format(", slice {}", k % slices) : ""));
    }
    ranges[k / slices].push_back(range);
  }
  return ranges;
}

}  // namespace crossgrid
