#pragma once

#include <dnnl.hpp>
#include <memory>
#include <string>
#include <vector>

#include "crossgrid/backend/products.hpp"

namespace crossgrid::benchmarks {

/// One layer's oneDNN primitive and nothing else: layouts as it likes them (format `any`), its own buffers, always hot.
class BareProduct {
 public:
  /// geometry: of one image; single pixels are a matmul.
  BareProduct(const ConvolutionShape& geometry, int images);
  void run();
  int images() const { return images_; }
  const std::string& implementation() const { return name_; }

 private:
  int images_;
  std::string name_;
  dnnl::stream stream_;
  dnnl::primitive primitive_;
  std::unordered_map<int, dnnl::memory> arguments_;
};

/// The micro-batch of 1, 2, 4 ... images, `most` at most, with the least time per image.
int best_micro_batch(const ConvolutionShape& geometry, int most = 64);

}  // namespace crossgrid::benchmarks
