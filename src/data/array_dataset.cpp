#include "crossgrid/data/array_dataset.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <mutex>
#include <set>
#include <utility>

#include "crossgrid/base/error.hpp"
#include "crossgrid/data/images_hash.hpp"
#include "crossgrid/data/npz_file.hpp"
#include "crossgrid/data/splits.hpp"
#include "crossgrid/data/stored_array.hpp"

namespace crossgrid {
namespace {

namespace fs = std::filesystem;

/// How one image lies in an array.
struct ImageOrder {
  std::size_t channels = 1, height = 1, width = 1;
  bool planar = false;  ///< channel by channel
  std::size_t size() const { return channels * height * width; }
};

ImageOrder find_order(const StoredArray& images, Layout layout) {
  const auto& shape = images.view.shape;
  switch (shape.size()) {
    case 2:
      return {shape[1], 1, 1};
    case 3:
      return {1, shape[1], shape[2]};
    case 4:
      break;
    default:
      throw input_error(images.name,
                        fmt::format("found an array of shape {}, expected images: N x height x width, with channels "
                                    "before or after these, or N x features",
                                    fmt::join(shape, " x ")));
  }
  const auto looks_like_channels = [](std::size_t size) { return size == 1 || size == 3; };
  const bool first = looks_like_channels(shape[1]), last = looks_like_channels(shape[3]);
  if (layout == Layout::automatic && first == last) {
    throw input_error(images.name, fmt::format("found an array of shape {}: it does not show which dimension counts "
                                               "channels; say dataset.preprocess.layout: \"nhwc\" or \"nchw\"",
                                               fmt::join(shape, " x ")));
  }
  const bool planar = layout == Layout::automatic ? first : layout == Layout::nchw;
  if (planar && shape[1] == 1) return {1, shape[2], shape[3]};
  return planar ? ImageOrder{shape[1], shape[2], shape[3], true} : ImageOrder{shape[3], shape[1], shape[2]};
}

/// One image's numbers, channel-last, from memory without alignment.
template <class From, class To>
void gather(const std::uint8_t* from, const ImageOrder& order, std::vector<To>& to) {
  to.resize(order.size());
  const std::size_t plane = order.height * order.width;
  for (std::size_t k = 0; k < to.size(); ++k) {
    const std::size_t place = order.planar ? k % order.channels * plane + k / order.channels : k;
    From value;
    std::memcpy(&value, from + place * sizeof(From), sizeof value);
    to[k] = static_cast<To>(value);
  }
}

std::vector<int> read_labels(const StoredArray& labels, const StoredArray& images) {
  const NpyView& view = labels.view;
  const bool integers = view.type[1] == 'u' || view.type[1] == 'i';
  const bool line = view.shape.size() == 1 || (view.shape.size() == 2 && view.shape[1] == 1);
  if (!integers || !line) {
    throw input_error(labels.name,
                      fmt::format("found numbers of type '{}' and shape {}, expected labels: integers, N or N x 1",
                                  view.type, fmt::join(view.shape, " x ")));
  }
  if (view.shape[0] != images.view.shape[0]) {
    throw input_error(labels.name, fmt::format("found {} labels, expected {}, one per image of {}", view.shape[0],
                                               images.view.shape[0], images.name));
  }
  std::vector<int> found;
  for (const double label : npy_values(view)) {
    if (label < 0 || label >= std::numeric_limits<int>::max()) {
      throw input_error(labels.name, fmt::format("image {} has label {}, expected 0 or more", found.size(), label));
    }
    found.push_back(static_cast<int>(label));
  }
  return found;
}

class ArrayDataset final : public Dataset {
 public:
  ArrayDataset(StoredArray images, const StoredArray& labels, Layout layout, std::string place)
      : images_(std::move(images)), order_(find_order(images_, layout)), place_(std::move(place)) {
    const NpyView& view = images_.view;
    if (view.type != "|u1" && view.type != "<f4" && view.type != "<f8") {
      throw input_error(images_.name, fmt::format("found images of type '{}', expected |u1, <f4 or <f8", view.type));
    }
    if (view.fortran_order && view.shape.size() > 1) {
      throw input_error(images_.name, "found an array in Fortran order, expected C order (numpy.ascontiguousarray)");
    }
    if (view.numbers.empty() || order_.size() > most_values) {
      throw input_error(images_.name,
                        fmt::format("found an array of shape {}, expected some images of at most {} values",
                                    fmt::join(view.shape, " x "), most_values));
    }
    labels_ = read_labels(labels, images_);
    classes_ = 1 + std::ranges::max(labels_);
    if (floats()) check_finite();
  }

  std::uint64_t size() const override { return labels_.size(); }
  int channels() const override { return static_cast<int>(order_.channels); }
  int height() const override { return static_cast<int>(order_.height); }
  int width() const override { return static_cast<int>(order_.width); }
  int classes() const override { return classes_; }
  int label(std::uint64_t index) const override { return labels_[index]; }
  bool floats() const override { return images_.view.type != "|u1"; }
  ImageView image(std::uint64_t index, ImageBuffer& buffer) const override {
    const std::size_t bytes = order_.size() * images_.view.width;
    const std::uint8_t* const from = images_.view.numbers.data() + index * bytes;
    if (images_.view.type == "|u1") {
      if (!order_.planar) return Pixels(from, bytes);
      gather<std::uint8_t>(from, order_, buffer.pixels);
      return Pixels(buffer.pixels);
    }
    if (images_.view.type == "<f8") {
      gather<double>(from, order_, buffer.floats);
    } else if (order_.planar || reinterpret_cast<std::uintptr_t>(from) % alignof(float) != 0) {
      gather<float>(from, order_, buffer.floats);
    } else {
      return Floats(reinterpret_cast<const float*>(from), order_.size());
    }
    return Floats(buffer.floats);
  }

  Id128 content() const override {
    std::call_once(hashed_, [this] { content_ = images_content(*this); });
    return content_;
  }

  std::string description() const override {
    return fmt::format("{} images {}x{}x{}{}, {} classes, {}", grouped_digits(size()), height(), width(), channels(),
                       floats() ? " of floats" : "", classes(), place_);
  }

 private:
  static constexpr std::size_t most_values = std::size_t{1} << 28;

  void check_finite() const {
    ImageBuffer buffer;
    for (std::uint64_t k = 0; k < size(); ++k) {
      const Floats values = std::get<Floats>(image(k, buffer));
      const auto bad = std::ranges::find_if(values, [](float value) { return !std::isfinite(value); });
      if (bad == values.end()) continue;
      throw input_error(images_.name, fmt::format("image {} holds the value {}, expected finite numbers", k, *bad));
    }
  }

  StoredArray images_;
  ImageOrder order_;
  std::string place_;
  std::vector<int> labels_;
  int classes_ = 0;
  mutable std::once_flag hashed_;
  mutable Id128 content_;
};

struct ArrayNames {
  std::string images, labels;
};

std::vector<ArrayNames> array_names(const std::string& split) {
  return {{split + "_images", split + "_labels"}, {"x_" + split, "y_" + split}};
}

/// Splits whose images are among the arrays.
std::vector<std::string> splits_of(const std::vector<std::string>& arrays) {
  constexpr std::string_view ending = "_images", beginning = "x_";
  std::set<std::string> splits;
  for (const std::string& name : arrays) {
    if (name.ends_with(ending)) splits.insert(name.substr(0, name.size() - ending.size()));
    if (name.starts_with(beginning)) splits.insert(name.substr(beginning.size()));
  }
  return {splits.begin(), splits.end()};
}

bool among(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

/// The first pair whose images are there.
ArrayNames choose(const std::string& place, const std::string& split, const std::vector<std::string>& there,
                  const std::vector<ArrayNames>& pairs) {
  for (const ArrayNames& pair : pairs) {
    if (!among(there, pair.images)) continue;
    if (among(there, pair.labels)) return pair;
    throw input_error(place, fmt::format("found {} without its labels, expected {}", pair.images, pair.labels));
  }
  std::vector<std::string> expected;
  for (const ArrayNames& pair : pairs) expected.push_back(fmt::format("{} and {}", pair.images, pair.labels));
  throw missing_split(
      place, split, splits_of(there),
      fmt::format("arrays of images (it holds {}), expected {}",
                  there.empty() ? "none" : fmt::format("{}", fmt::join(there, ", ")), fmt::join(expected, ", or ")));
}

/// Names of the files with that ending, without it, sorted.
std::vector<std::string> names_in(const std::string& folder, const std::string& ending) {
  std::vector<std::string> names;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder, failed)) {
    if (entry.path().extension() == ending) names.push_back(entry.path().stem().string());
  }
  if (failed) throw input_error(folder, "can't be read as a folder: " + failed.message());
  std::ranges::sort(names);
  return names;
}

}  // namespace

bool names_images(const std::string& array) {
  return array == "images" || !splits_of({array}).empty();
}

std::shared_ptr<const Dataset> open_npy_dataset(const std::string& folder, const std::string& split, Layout layout) {
  check_split_name(folder, split);
  const ArrayNames names = choose(folder, split, names_in(folder, ".npy"), array_names(split));
  const auto open = [&](const std::string& name) { return map_npy((fs::path(folder) / (name + ".npy")).string()); };
  return std::make_shared<ArrayDataset>(open(names.images), open(names.labels), layout, folder + " (npy)");
}

std::shared_ptr<const Dataset> open_npz_dataset(const std::string& path, const std::string& split, Layout layout) {
  check_split_name(path, split);
  std::string file = path;
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    const std::vector<std::string> files = names_in(path, ".npz");
    if (!among(files, split)) throw missing_split(path, split, files, "NPZ files, expected " + split + ".npz");
    file = (fs::path(path) / (split + ".npz")).string();
  }
  const NpzFile arrays(file);
  std::vector<ArrayNames> pairs = array_names(split);
  pairs.push_back({"images", "labels"});
  const ArrayNames names = choose(file, split, arrays.names(), pairs);
  return std::make_shared<ArrayDataset>(arrays.array(names.images), arrays.array(names.labels), layout,
                                        file + " (npz)");
}

}  // namespace crossgrid
