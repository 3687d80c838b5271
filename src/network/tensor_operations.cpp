#include "crossgrid/network/tensor_operations.hpp"

#include <algorithm>
#include <limits>

#include "crossgrid/base/exponential.hpp"
#include "crossgrid/base/host_device.hpp"
#include "crossgrid/base/rounding.hpp"

namespace crossgrid {

namespace {

CROSSGRID_MULTIVERSION
void keep_larger(float* largest, const float* values, int count) {
  for (int c = 0; c < count; ++c) largest[c] = largest[c] >= values[c] ? largest[c] : values[c];
}

CROSSGRID_MULTIVERSION
void add_values(float* sums, const float* values, int count) {
  for (int c = 0; c < count; ++c) sums[c] += values[c];
}

CROSSGRID_MULTIVERSION
void scale_values(float* values, float factor, int count) {
  for (int c = 0; c < count; ++c) values[c] *= factor;
}

/// Calls visit(pixel of the input) for the pixels of one output's window that lie in the image.
template <class Visit>
void visit_window(const Shape& in, const Window& window, int top, int left, const Visit& visit) {
  const WindowAxis &rows = window.vertical, &columns = window.horizontal;
  const int bottom = std::min(top + rows.reach(), in.height), right = std::min(left + columns.reach(), in.width);
  while (top < 0) top += rows.dilation;
  while (left < 0) left += columns.dilation;
  for (int y = top; y < bottom; y += rows.dilation) {
    for (int x = left; x < right; x += columns.dilation) visit(static_cast<std::ptrdiff_t>(y) * in.width + x);
  }
}

/// Calls visit(image, top and left of the window, first value of the output) for all windows.
template <class Visit>
void visit_outputs(int images, const Shape& out, const Window& window, const Visit& visit) {
  for (int n = 0; n < images; ++n) {
    for (int y = 0; y < out.height; ++y) {
      for (int x = 0; x < out.width; ++x) {
        const auto place = (static_cast<std::ptrdiff_t>(n) * out.height + y) * out.width + x;
        visit(n, window.vertical.first(y), window.horizontal.first(x), place * out.channels);
      }
    }
  }
}

/// The usual pool: 2 x 2 windows side by side, no padding. One call per row of outputs.
CROSSGRID_MULTIVERSION
void max_pool_pairs(const float* top, const float* bottom, float* to, int outputs, int channels) {
  for (int x = 0; x < outputs; ++x) {
    const float* const a = top + static_cast<std::ptrdiff_t>(2) * x * channels;
    const float* const b = bottom + static_cast<std::ptrdiff_t>(2) * x * channels;
    float* const largest = to + static_cast<std::ptrdiff_t>(x) * channels;
    for (int c = 0; c < channels; ++c) {
      const float upper = a[c] >= a[c + channels] ? a[c] : a[c + channels];
      const float lower = b[c] >= b[c + channels] ? b[c] : b[c + channels];
      largest[c] = upper >= lower ? upper : lower;
    }
  }
}

/// Sum of some of a pixel's `stride` channels in a fixed order: 16 partial sums, then pairwise.
CROSSGRID_MULTIVERSION
void sum_channels(const float* from, double* to, std::size_t pixels, int channels, int stride) {
  constexpr int lanes = 16;
  for (std::size_t p = 0; p < pixels; ++p) {
    const float* const x = from + p * static_cast<std::size_t>(stride);
    double partial[lanes] = {};
    int c = 0;
    for (; c + lanes <= channels; c += lanes) {
      for (int k = 0; k < lanes; ++k) partial[k] += x[c + k];
    }
    for (int k = 0; c + k < channels; ++k) partial[k] += x[c + k];
    for (int width = lanes / 2; width > 0; width /= 2) {
      for (int k = 0; k < width; ++k) partial[k] += partial[k + width];
    }
    to[p] = partial[0];
  }
}

}  // namespace

void max_pool(const float* from, float* to, int images, const Shape& in, const Shape& out, const MaxPool2d& pool) {
  const auto row = static_cast<std::ptrdiff_t>(in.width) * in.channels;
  if (pool.window == square_window(2, 2, 0)) {
    for (int n = 0; n < images; ++n) {
      for (int y = 0; y < out.height; ++y) {
        const float* const top = from + (static_cast<std::ptrdiff_t>(n) * in.height + std::ptrdiff_t{2} * y) * row;
        float* const line = to + (static_cast<std::ptrdiff_t>(n) * out.height + y) * out.width * out.channels;
        max_pool_pairs(top, top + row, line, out.width, in.channels);
      }
    }
    return;
  }
  visit_outputs(images, out, pool.window, [&](int n, int top, int left, std::ptrdiff_t place) {
    const float* const image = from + static_cast<std::ptrdiff_t>(n) * in.height * row;
    std::fill_n(to + place, in.channels, -std::numeric_limits<float>::infinity());
    visit_window(in, pool.window, top, left,
                 [&](std::ptrdiff_t pixel) { keep_larger(to + place, image + pixel * in.channels, in.channels); });
  });
}

void average_pool(const float* from, float* to, int images, const Shape& in, const Shape& out, const AvgPool2d& pool) {
  visit_outputs(images, out, pool.window, [&](int n, int top, int left, std::ptrdiff_t place) {
    const float* const image = from + static_cast<std::ptrdiff_t>(n) * static_cast<std::ptrdiff_t>(in.size());
    std::fill_n(to + place, in.channels, 0.0f);
    int pixels = 0;
    visit_window(in, pool.window, top, left, [&](std::ptrdiff_t pixel) {
      add_values(to + place, image + pixel * in.channels, in.channels);
      ++pixels;
    });
    if (pool.padding_counts) pixels = pool.window.size();
    if (pixels > 0) scale_values(to + place, 1.0f / static_cast<float>(pixels), in.channels);
  });
}

CROSSGRID_MULTIVERSION
void channel_affine(const float* from, float* to, std::size_t pixels, const ChannelAffine& affine) {
  const std::size_t channels = affine.scale.size();
  const float *const scale = affine.scale.data(), *const shift = affine.shift.data();
  for (std::size_t p = 0; p < pixels; ++p, from += channels, to += channels) {
    for (std::size_t c = 0; c < channels; ++c) to[c] = fused(from[c], scale[c], shift[c]);
  }
}

void rearrange(const Rearrange& runs, std::span<const ImagesOf> inputs, float* to, int images) {
  for (int image = 0; image < images; ++image) {
    for (const Rearrange::Run& run : runs.runs) {
      if (run.input < 0) {
        to = std::fill_n(to, run.count, runs.fill);
      } else {
        const ImagesOf& from = inputs[static_cast<std::size_t>(run.input)];
        to = std::copy_n(from.values + static_cast<std::size_t>(image) * from.size + run.first, run.count, to);
      }
    }
  }
}

void global_average_pool(const float* from, float* to, int images, const Shape& in) {
  const int pixels = in.height * in.width;
  for (int n = 0; n < images; ++n) {
    float* const mean = to + static_cast<std::ptrdiff_t>(n) * in.channels;
    std::fill_n(mean, in.channels, 0.0f);
    for (int p = 0; p < pixels; ++p) {
      add_values(mean, from + (static_cast<std::ptrdiff_t>(n) * pixels + p) * in.channels, in.channels);
    }
    scale_values(mean, 1.0f / static_cast<float>(pixels), in.channels);
  }
}

void flatten(const float* from, float* to, int images, const Shape& in) {
  const int pixels = in.height * in.width;
  for (int n = 0; n < images; ++n, from += in.size(), to += in.size()) {
    for (int p = 0; p < pixels; ++p) {
      for (int c = 0; c < in.channels; ++c) to[c * pixels + p] = from[p * in.channels + c];
    }
  }
}

CROSSGRID_MULTIVERSION
void add(const float* a, const float* b, float* to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) to[i] = a[i] + b[i];
}

CROSSGRID_MULTIVERSION
void square(const float* from, float* to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) to[i] = from[i] * from[i];
}

void softmax(const float* from, float* to, std::size_t pixels, int channels) {
  for (std::size_t p = 0; p < pixels; ++p, from += channels, to += channels) {
    const double largest = *std::max_element(from, from + channels);
    double sum = 0;
    for (int c = 0; c < channels; ++c) sum += portable_exp(from[c] - largest);
    for (int c = 0; c < channels; ++c) to[c] = static_cast<float>(portable_exp(from[c] - largest) / sum);
  }
}

namespace {

template <class Value>
CROSSGRID_HD_INLINE void copy_subset(const Value* from, Value* to, const PixelSubset s) {
  const std::ptrdiff_t pixel = std::ptrdiff_t{s.channels} * s.horizontal_stride;
  const std::ptrdiff_t line = std::ptrdiff_t{s.channels} * s.width;
  for (int n = 0; n < s.images; ++n, from += line * s.height) {
    for (int y = 0; y < s.height; y += s.vertical_stride) {
      const Value* source = from + y * line + s.first_channel;
      for (int x = 0; x < s.width; x += s.horizontal_stride, source += pixel, to += s.channel_count) {
        for (int c = 0; c < s.channel_count; ++c) to[c] = source[c];
      }
    }
  }
}

}  // namespace

CROSSGRID_MULTIVERSION
void copy_pixels(const float* from, float* to, const PixelSubset& subset) {
  copy_subset(from, to, subset);
}

CROSSGRID_MULTIVERSION
void copy_pixels(const std::uint8_t* from, std::uint8_t* to, const PixelSubset& subset) {
  copy_subset(from, to, subset);
}

void frame_images(const float* from, float* to, int images, const Shape& in, const Window& window, float value) {
  const auto values = [&](int pixels) {
    return static_cast<std::size_t>(pixels) * static_cast<std::size_t>(in.channels);
  };
  const WindowAxis &rows = window.vertical, &columns = window.horizontal;
  const std::size_t line = values(in.width), left = values(columns.before), right = values(columns.after);
  const std::size_t framed = left + line + right;
  for (int n = 0; n < images; ++n) {
    to = std::fill_n(to, framed * static_cast<std::size_t>(rows.before), value);
    for (int y = 0; y < in.height; ++y, from += line) {
      to = std::fill_n(to, left, value);
      to = std::copy_n(from, line, to);
      to = std::fill_n(to, right, value);
    }
    to = std::fill_n(to, framed * static_cast<std::size_t>(rows.after), value);
  }
}

void gather_window(const float* image, float* to, const ConvolutionShape& shape, int row, int column, int stride,
                   float fill) {
  const WindowAxis &rows = shape.window.vertical, &columns = shape.window.horizontal;
  const int kernel = shape.window.size(), channels = shape.in_channels, of_group = channels / shape.groups;
  for (int place = 0; place < kernel; ++place) {
    const int y = rows.first(row) + place / columns.kernel * rows.dilation;
    const int x = columns.first(column) + place % columns.kernel * columns.dilation;
    const bool inside = y >= 0 && y < shape.height && x >= 0 && x < shape.width;
    const float* const pixel = inside ? image + (static_cast<std::ptrdiff_t>(y) * shape.width + x) * channels : nullptr;
    for (int group = 0; group < shape.groups; ++group) {
      float* const own = to + static_cast<std::ptrdiff_t>(group) * stride;
      for (int c = 0; c < of_group; ++c) own[c * kernel + place] = inside ? pixel[group * of_group + c] : fill;
    }
  }
}

void gather_windows(const float* image, float* to, const ConvolutionShape& shape, int stride) {
  for (int row = 0; row < shape.out_height(); ++row) {
    for (int column = 0; column < shape.out_width(); ++column) {
      gather_window(image, to, shape, row, column, stride, 0);
      to += static_cast<std::ptrdiff_t>(stride) * shape.groups;
    }
  }
}

void window_sums(const float* from, double* to, double* scratch, const ConvolutionShape& shape) {
  const Shape pixels{1, shape.height, shape.width}, windows{shape.groups, shape.out_height(), shape.out_width()};
  const std::size_t image = pixels.size() * static_cast<std::size_t>(shape.in_channels);
  const int channels = shape.in_channels / shape.groups;
  for (int n = 0; n < shape.images; ++n, from += image, to += windows.size()) {
    for (int group = 0; group < shape.groups; ++group) {
      sum_channels(from + std::ptrdiff_t{group} * channels, scratch, pixels.size(), channels, shape.in_channels);
      visit_outputs(1, windows, shape.window, [&](int, int top, int left, std::ptrdiff_t place) {
        double sum = 0;
        visit_window(pixels, shape.window, top, left, [&](std::ptrdiff_t pixel) { sum += scratch[pixel]; });
        to[place + group] = sum;
      });
    }
  }
}

void look_up_pixels(const std::uint8_t* pixels, float* to, std::size_t pixel_count, int channels, const float* table) {
  for (std::size_t p = 0; p < pixel_count; ++p) {
    for (int c = 0; c < channels; ++c) *to++ = table[c * 256 + *pixels++];
  }
}

}  // namespace crossgrid
