#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "crossgrid/base/matrix.hpp"
#include "crossgrid/base/normal.hpp"

namespace crossgrid {

/// Standard normal entries.
inline Matrix random_matrix(int rows, int cols, std::uint32_t seed) {
  Matrix made(rows, cols);
  fill_normals({made.data(), static_cast<std::size_t>(made.size())}, {{{seed, 77}}, 0, 0}, 0);
  return made;
}

/// Inputs in [0, 1], exact in float.
inline std::vector<double> random_inputs(int count, std::uint32_t seed) {
  const Matrix values = random_matrix(1, count, seed);
  std::vector<double> inputs(values.data(), values.data() + count);
  for (double& x : inputs) x = static_cast<double>(static_cast<float>(std::min(std::abs(x) / 3, 1.0)));
  return inputs;
}

}  // namespace crossgrid
