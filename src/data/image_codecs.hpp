#pragma once

#include "crossgrid/data/image_file.hpp"

/// One file format each; `pixels` where not null is filled.
namespace crossgrid {

bool is_jpeg(std::span<const std::uint8_t> file);
ImageHeader read_jpeg(std::span<const std::uint8_t> file, const std::string& name, std::vector<std::uint8_t>* pixels);

bool is_png(std::span<const std::uint8_t> file);
ImageHeader read_png(std::span<const std::uint8_t> file, const std::string& name, std::vector<std::uint8_t>* pixels);

/// Bytes of an image; Error(bad_input) where no image can be so large.
std::size_t image_bytes(const ImageHeader& header, const std::string& name);

}  // namespace crossgrid
