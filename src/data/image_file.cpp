#include "crossgrid/data/image_file.hpp"

#include <fmt/format.h>

#include "crossgrid/base/error.hpp"
#include "image_codecs.hpp"

namespace crossgrid {
namespace {

ImageHeader read(std::span<const std::uint8_t> file, const std::string& name, std::vector<std::uint8_t>* pixels) {
  if (is_jpeg(file)) return read_jpeg(file, name, pixels);
  if (is_png(file)) return read_png(file, name, pixels);
  throw input_error(name, file.empty() ? "found an empty file, expected a JPEG or PNG image"
                                       : "found neither JPEG's nor PNG's first bytes, expected such an image");
}

}  // namespace

std::size_t image_bytes(const ImageHeader& header, const std::string& name) {
  constexpr std::size_t most = std::size_t{1} << 28;
  const std::size_t bytes = static_cast<std::size_t>(header.size.height) * static_cast<std::size_t>(header.size.width) *
                            static_cast<std::size_t>(header.channels);
  if (bytes > 0 && bytes <= most) return bytes;
  throw input_error(name, fmt::format("found an image of {} x {} pixels, expected at most {} bytes", header.size.height,
                                      header.size.width, most));
}

ImageHeader read_image_header(std::span<const std::uint8_t> file, const std::string& name) {
  return read(file, name, nullptr);
}

DecodedImage decode_image(std::span<const std::uint8_t> file, const std::string& name) {
  DecodedImage image;
  image.header = read(file, name, &image.pixels);
  return image;
}

}  // namespace crossgrid
