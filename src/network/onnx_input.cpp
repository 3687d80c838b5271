#include "onnx_input.hpp"

#include <fmt/format.h>

#include "crossgrid/base/error.hpp"
#include "onnx_lowering.hpp"

namespace crossgrid {
namespace {

constexpr std::int64_t largest_extent = 1 << 16;

void expect_image(const OnnxLayerValue& image, const std::string& where) {
  std::int64_t size = 1;
  for (std::size_t k = 1; k < image.dims.size(); ++k) {
    const std::int64_t extent = image.dims[k];
    if (extent < 1 || extent > largest_extent) {
      throw input_error(where, fmt::format("dimension {} is {}, expected a size from 1 to {}: export the model with "
                                           "fixed image sizes",
                                           k, extent < 0 ? "not fixed" : std::to_string(extent), largest_extent));
    }
  }
  for (const std::int64_t extent : image.dims) {
    if (size > largest_activation / extent) {
      throw input_error(where,
                        fmt::format("is {}, expected at most {} values", extents_text(image.dims), largest_activation));
    }
    size *= extent;
  }
}

}  // namespace

OnnxInput onnx_input(const OnnxValue& input, const std::string& file) {
  const std::string where = fmt::format("{}: input '{}'", file, input.name);
  if (!input.dims || input.dims->empty()) {
    throw input_error(where,
                      "is no tensor of a known number of dimensions, expected [batch, channels, height, width], "
                      "[batch, features] or another shape of one image behind the batch");
  }
  OnnxLayerValue image;
  image.type = input.type.value_or(ElementType::float32);
  image.dims = *input.dims;
  image.dims.front() = 1;
  expect_image(image, where);
  // Images are kept channels last. Where the model has them so itself (Keras), they are taken as they are.
  const auto few = [&](std::size_t k) { return image.dims[k] == 1 || image.dims[k] == 3; };
  const bool channels_last = image.rank() == 4 && few(3) && !few(1);
  image.order = image.rank() == 4 && !channels_last ? channels_last_order(4) : row_major_order(image.rank());
  const auto extent = [&](std::size_t k) { return static_cast<int>(image.dims[k]); };
  if (channels_last) return {image, {extent(3), extent(1), extent(2)}};
  if (image.rank() == 4) return {image, {extent(1), extent(2), extent(3)}};
  if (image.rank() == 3) return {image, {1, extent(1), extent(2)}};
  return {image, {static_cast<int>(element_count(image.dims)), 1, 1}};
}

}  // namespace crossgrid
