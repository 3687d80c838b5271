#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "crossgrid/data/image_geometry.hpp"

namespace crossgrid {

/// What a JPEG or PNG file says of its image.
struct ImageHeader {
  ImageSize size;
  int channels = 0;  ///< 1: grey, 3: colours
};

/// Pixels of an image, channel-last.
struct DecodedImage {
  ImageHeader header;
  std::vector<std::uint8_t> pixels;
};

/// Reads the header of a JPEG or PNG file, told by its first bytes. Error(bad_input) of `name` where it is neither, is
/// damaged, or has colours other than grey and RGB (CMYK).
ImageHeader read_image_header(std::span<const std::uint8_t> file, const std::string& name);

/// Decodes it, with the pixels that PIL gives: a JPEG's orientation (EXIF) is not looked at, palettes become colours,
/// transparency is left away, of 16 bits the upper 8 are taken. Error(bad_input) also where the file is cut short.
DecodedImage decode_image(std::span<const std::uint8_t> file, const std::string& name);

}  // namespace crossgrid
