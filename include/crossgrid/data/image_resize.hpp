#pragma once

#include "crossgrid/data/image_geometry.hpp"

namespace crossgrid {

/// Bilinear with antialiasing, to the bit as Pillow's Image.resize(size, BILINEAR) (src/libImaging/Resample.c): a
/// triangle as wide as two pixels of the result where that is the smaller one, along rows, rounded to bytes, then along
/// columns. `to` becomes to_size x channels bytes.
void resize_image(std::span<const std::uint8_t> from, ImageSize from_size, int channels, ImageSize to_size,
                  std::vector<std::uint8_t>& to);

}  // namespace crossgrid
