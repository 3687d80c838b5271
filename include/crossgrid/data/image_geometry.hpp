#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace crossgrid {

struct ImageSize {
  int height = 0, width = 0;
  bool operator==(const ImageSize&) const = default;
};

/// What is done to the pixels of images before they are handed out: resized, then cropped to their centre, as
/// torchvision's Resize and CenterCrop do with PIL images.
struct ImageGeometry {
  std::optional<int> shorter;     ///< resize so that the shorter side has so many pixels
  std::optional<ImageSize> size;  ///< or resize to this
  std::optional<ImageSize> crop;

  bool none() const { return !shorter && !size && !crop; }
  ImageSize resized(ImageSize from) const;
  /// Error(bad_input) of `place` where an image is smaller than the crop.
  ImageSize result(ImageSize from, const std::string& place) const;
  /// "resize 256, crop 224 x 224"
  std::string text() const;

  /// height x width x channels bytes in, result() x channels bytes out; `scratch` is kept from call to call.
  void apply(std::span<const std::uint8_t> from, ImageSize from_size, int channels, std::span<std::uint8_t> to,
             std::vector<std::uint8_t>& scratch) const;
};

}  // namespace crossgrid
