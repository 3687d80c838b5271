#pragma once

#include <compare>

namespace crossgrid {

/// How windows lie along one axis of an image.
struct WindowAxis {
  int kernel = 1, stride = 1;
  int dilation = 1;           ///< pixels from one input of a window to the next
  int before = 0, after = 0;  ///< pixels of padding

  /// From a window's first pixel to its last.
  int reach() const { return dilation * (kernel - 1) + 1; }
  int windows(int extent) const { return (extent + before + after - reach()) / stride + 1; }
  /// The first pixel of a window, negative in the padding.
  int first(int window) const { return window * stride - before; }
  auto operator<=>(const WindowAxis&) const = default;  // NOLINT(modernize-use-nullptr): misread
};

/// Windows that slide over an image.
struct Window {
  WindowAxis vertical, horizontal;

  int size() const { return vertical.kernel * horizontal.kernel; }
  bool padded() const { return vertical.before + vertical.after + horizontal.before + horizontal.after > 0; }
  auto operator<=>(const Window&) const = default;  // NOLINT(modernize-use-nullptr): misread
};

/// Square windows, the same padding on all sides.
inline Window square_window(int kernel, int stride, int padding) {
  const WindowAxis axis{kernel, stride, 1, padding, padding};
  return {axis, axis};
}

}  // namespace crossgrid
