#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "crossgrid/base/id128.hpp"

namespace crossgrid {

using Pixels = std::span<const std::uint8_t>;
using Floats = std::span<const float>;
/// An image, channel-last (HWC): pixels, or values of a data set whose floats() holds.
using ImageView = std::variant<Pixels, Floats>;

/// Where an image is put that does not lie in memory as it is handed out: one per reader, kept from image to image.
struct ImageBuffer {
  std::vector<std::uint8_t> pixels;
  std::vector<float> floats;
};

/// Images with labels, in file order.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual std::uint64_t size() const = 0;
  virtual int channels() const = 0;
  virtual int height() const = 0;
  virtual int width() const = 0;
  virtual int classes() const = 0;  ///< 1 + the largest label
  /// Whether images are floats, not bytes.
  virtual bool floats() const { return false; }
  /// Image `index`, height * width * channels values: where they are mapped, else in `buffer` until its next use.
  virtual ImageView image(std::uint64_t index, ImageBuffer& buffer) const = 0;
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
