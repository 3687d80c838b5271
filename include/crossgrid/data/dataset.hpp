#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "crossgrid/base/id128.hpp"
#include "crossgrid/data/image_geometry.hpp"

namespace crossgrid {

using Pixels = std::span<const std::uint8_t>;
using Floats = std::span<const float>;
/// An image, channel-last (HWC): pixels, or values of a data set whose floats() holds.
using ImageView = std::variant<Pixels, Floats>;

/// Where an image is put that does not lie in memory as it is handed out: one per reader, kept from image to image.
struct ImageBuffer {
  std::vector<std::uint8_t> pixels, resized, shaped;  ///< as stored, and what is made of them
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

/// Order of the dimensions of an array of images: as `automatic`, channels are where there are 1 or 3 of them.
enum class Layout { automatic, nhwc, nchw };

/// How images are brought into the form that the network takes (spec.md dataset.preprocess, but what is arithmetic).
struct DatasetOptions {
  Layout layout = Layout::automatic;  ///< of NPY arrays with four dimensions
  ImageGeometry geometry;             ///< of bytes, not of floats
};

/// spec.md dataset.format: "idx", "cifar10", "cifar100", "npy", "npz", "folder", or "auto", which tells by what is at
/// `path` (docs/data.md). Error(bad_input) names the file, what was found and what was expected (missing, truncated,
/// wrong magic number, counts that differ).
std::shared_ptr<const Dataset> open_dataset(const std::string& path, const std::string& format,
                                            const std::string& split, const DatasetOptions& options = {});

}  // namespace crossgrid
