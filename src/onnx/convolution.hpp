#pragma once

#include <vector>

#include "window_axes.hpp"

namespace crossgrid {

/// Every window of the large side's channels meets one value of the small side's. A convolution goes from the large
/// side to the small one, a transposed one back, both by weights [small, large / groups, kernel...].
struct Convolution {
  WindowAxes axes;
  std::int64_t batch = 0, groups = 1, small = 0, large = 0;  ///< images; channels

  Extents small_dims() const { return window_outputs(batch, small, axes); }
  Extents large_dims() const;
};

/// Of a Conv's node; bounds its output.
Convolution convolution_of(const OnnxNode& node, const OnnxTensor& input, const OnnxTensor& weights);
/// Of a ConvTranspose's.
Convolution transposed_convolution_of(const OnnxNode& node, const OnnxTensor& input, const OnnxTensor& weights);

std::vector<double> convolve(const Convolution& sizes, const std::vector<double>& input,
                             const std::vector<double>& weights);
std::vector<double> convolve_back(const Convolution& sizes, const std::vector<double>& input,
                                  const std::vector<double>& weights);

}  // namespace crossgrid
