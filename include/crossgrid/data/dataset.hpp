#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "crossgrid/base/id128.hpp"

namespace crossgrid {

/// Images with labels, in file order. Pixels are bytes, channel-last (NHWC).
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual std::uint64_t size() const = 0;
  virtual int channels() const = 0;
  virtual int height() const = 0;
  virtual int width() const = 0;
  virtual int classes() const = 0;  ///< 1 + the largest label
  /// Pixels of image `index`, height * width * channels bytes.
  virtual std::span<const std::uint8_t> pixels(std::uint64_t index) const = 0;
  virtual int label(std::uint64_t index) const = 0;
  /// Hash of all pixels and labels in file order.
  virtual Id128 content() const = 0;
  /// One line for the user: what was found where.
  virtual std::string description() const = 0;
};

/// spec.md dataset.format: "auto", "idx", "cifar10" or "cifar100" for now. `path` is a folder that holds the splits
/// ("test" also finds Fashion-MNIST's t10k-*; IDX files may end in .gz), or a file of CIFAR's layout. Error(bad_input)
/// names the file, what was found and what was expected (missing, truncated, wrong magic number, counts that differ).
std::shared_ptr<const Dataset> open_dataset(const std::string& path, const std::string& format,
                                            const std::string& split);

}  // namespace crossgrid
