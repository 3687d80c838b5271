#include "crossgrid/data/image_geometry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "crossgrid/base/error.hpp"
#include "crossgrid/data/image_resize.hpp"

namespace crossgrid {
namespace {

std::string text_of(ImageSize size) {
  return fmt::format("{} x {}", size.height, size.width);
}

/// torchvision's: halves go to the even side.
int crop_start(int from, int to) {
  return static_cast<int>(std::nearbyint((from - to) / 2.0));
}

}  // namespace

ImageSize ImageGeometry::resized(ImageSize from) const {
  if (size) return *size;
  if (!shorter) return from;
  const auto [low, high] = std::minmax(from.height, from.width);
  const int other = static_cast<int>(static_cast<double>(std::int64_t{*shorter} * high) / low);
  return from.height <= from.width ? ImageSize{*shorter, other} : ImageSize{other, *shorter};
}

ImageSize ImageGeometry::result(ImageSize from, const std::string& place) const {
  const ImageSize inner = resized(from);
  if (!crop) return inner;
  if (crop->height > inner.height || crop->width > inner.width) {
    throw input_error(place, fmt::format("found an image of {}{} pixels, expected at least those of the crop, {}",
                                         text_of(inner), inner == from ? "" : " (resized)", text_of(*crop)));
  }
  return *crop;
}

std::string ImageGeometry::text() const {
  std::string words;
  if (shorter) words = fmt::format("resize {}", *shorter);
  if (size) words = fmt::format("resize {}", text_of(*size));
  if (crop) words += fmt::format("{}crop {}", words.empty() ? "" : ", ", text_of(*crop));
  return words;
}

void ImageGeometry::apply(std::span<const std::uint8_t> from, ImageSize from_size, int channels,
                          std::span<std::uint8_t> to, std::vector<std::uint8_t>& scratch) const {
  const ImageSize inner = resized(from_size);
  if (inner != from_size) {
    resize_image(from, from_size, channels, inner, scratch);
    from = scratch;
  }
  const ImageSize outer = crop.value_or(inner);
  const auto row = static_cast<std::size_t>(outer.width) * static_cast<std::size_t>(channels);
  const auto inner_row = static_cast<std::size_t>(inner.width) * static_cast<std::size_t>(channels);
  const auto top = static_cast<std::size_t>(crop_start(inner.height, outer.height));
  const auto left = static_cast<std::size_t>(crop_start(inner.width, outer.width) * channels);
  for (std::size_t y = 0; y < static_cast<std::size_t>(outer.height); ++y) {
    std::ranges::copy(from.subspan((top + y) * inner_row + left, row),
                      to.begin() + static_cast<std::ptrdiff_t>(y * row));
  }
}

}  // namespace crossgrid
