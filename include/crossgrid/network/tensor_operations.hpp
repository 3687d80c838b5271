#pragma once

#include <cstdint>
#include <span>

#include "crossgrid/backend/products.hpp"
#include "crossgrid/network/network.hpp"

/// Digital operations on micro-batches of dense NHWC activations.
namespace crossgrid {

/// Largest value of each window; windows begin on `padding` pixels before the image, padding never wins.
void max_pool(const float* from, float* to, int images, const Shape& in, const Shape& out, const MaxPool2d& pool);
/// Mean of the pixels of each window, those in the padding left out or counted as zeros.
void average_pool(const float* from, float* to, int images, const Shape& in, const Shape& out, const AvgPool2d& pool);
void global_average_pool(const float* from, float* to, int images, const Shape& in);
/// (h, w, c) order to (c, h, w).
void flatten(const float* from, float* to, int images, const Shape& in);
void channel_affine(const float* from, float* to, std::size_t pixels, const ChannelAffine& affine);
/// inputs: one per input of the layer, with the sizes of its images.
struct ImagesOf {
  const float* values = nullptr;
  std::size_t size = 0;
};
void rearrange(const Rearrange& runs, std::span<const ImagesOf> inputs, float* to, int images);
void add(const float* a, const float* b, float* to, std::size_t count);
void square(const float* from, float* to, std::size_t count);
/// Softmax over the channels of every pixel, in double.
void softmax(const float* from, float* to, std::size_t pixels, int channels);

/// Some channels of every pixel, or of every stride-th in both directions.
struct PixelSubset {
  int images = 1, height = 1, width = 1, channels = 1;  ///< what there is
  int vertical_stride = 1, horizontal_stride = 1;
  int first_channel = 0, channel_count = 1;
};
/// Dense copy of a subset.
void copy_pixels(const float* from, float* to, const PixelSubset& subset);
void copy_pixels(const std::uint8_t* from, std::uint8_t* to, const PixelSubset& subset);

/// Copies images into a frame of `value` as wide as the window's padding.
void frame_images(const float* from, float* to, int images, const Shape& in, const Window& window, float value);

/// The inputs of a window of one image: groups x `stride` floats, of which the first shape.rows() are written in the
/// channel-major order (channel, kernel row, kernel column); `fill` where it hangs over the edge.
void gather_window(const float* image, float* to, const ConvolutionShape& shape, int row, int column, int stride,
                   float fill);
/// Those of all windows as rows of a matrix; 0 where they hang over the edge.
void gather_windows(const float* image, float* to, const ConvolutionShape& shape, int stride);

/// Sum of the inputs of every window of a micro-batch of shape.images: one value per window and group. scratch: one
/// double per input pixel of one image.
void window_sums(const float* from, double* to, double* scratch, const ConvolutionShape& shape);

/// Pixels to a network's input: `table` holds channels x 256 values.
void look_up_pixels(const std::uint8_t* pixels, float* to, std::size_t pixel_count, int channels, const float* table);

}  // namespace crossgrid
