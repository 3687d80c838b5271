#pragma once

#include <vector>

#include "crossgrid/data/dataset.hpp"

namespace crossgrid::testing {

/// A copy of one image: bytes or floats, whichever `Number` is.
template <class Number>
std::vector<Number> image_of(const Dataset& data, std::uint64_t index) {
  ImageBuffer buffer;
  const auto view = std::get<std::span<const Number>>(data.image(index, buffer));
  return {view.begin(), view.end()};
}

inline std::vector<std::uint8_t> pixels_of(const Dataset& data, std::uint64_t index) {
  return image_of<std::uint8_t>(data, index);
}

}  // namespace crossgrid::testing
