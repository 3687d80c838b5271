#include "crossgrid/data/cifar_dataset.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <mutex>
#include <utility>
#include <vector>

#include "crossgrid/base/error.hpp"
#include "crossgrid/data/images_hash.hpp"
#include "crossgrid/data/mapped_file.hpp"

namespace crossgrid {
namespace {

constexpr int size = 32, channels_of_image = 3;
constexpr std::size_t plane = std::size_t{size} * size, image_bytes = plane * channels_of_image;

class CifarDataset final : public Dataset {
 public:
  CifarDataset(const std::vector<std::string>& files, int classes, std::string place)
      : classes_(classes), labels_(classes == 100 ? 2 : 1), place_(std::move(place)) {
    for (const std::string& file : files) add(file);
  }

  std::uint64_t size() const override { return records_.size(); }
  int channels() const override { return channels_of_image; }
  int height() const override { return crossgrid::size; }
  int width() const override { return crossgrid::size; }
  int classes() const override { return classes_; }
  ImageView image(std::uint64_t index, ImageBuffer& buffer) const override {
    const std::uint8_t* const from = records_[index] + labels_;
    buffer.pixels.resize(image_bytes);
    std::uint8_t* to = buffer.pixels.data();
    for (std::size_t pixel = 0; pixel < plane; ++pixel) {
      for (std::size_t c = 0; c < channels_of_image; ++c) *to++ = from[c * plane + pixel];
    }
    return Pixels(buffer.pixels);
  }
  int label(std::uint64_t index) const override { return records_[index][labels_ - 1]; }

  Id128 content() const override {
    std::call_once(hashed_, [this] {
      content_ =
          hash_text(fmt::format("cifar {}: {} {}", classes_, hash_images(*this).hex(), hash_labels(*this).hex()));
    });
    return content_;
  }

  std::string description() const override {
    return fmt::format("{} images {}x{}x{}, {} classes, {} (cifar{})", size(), height(), width(), channels(), classes_,
                       place_, classes_);
  }

 private:
  void add(const std::string& path) {
    files_.emplace_back(path);
    const Pixels file = files_.back().bytes();
    const std::size_t record = labels_ + image_bytes;
    if (file.empty() || file.size() % record != 0) {
      throw input_error(path,
                        fmt::format("has {} bytes, expected a multiple of {}: {} label byte{} and {} pixels per image",
                                    file.size(), record, labels_, labels_ > 1 ? "s" : "", image_bytes));
    }
    for (std::size_t at = 0; at < file.size(); at += record) {
      records_.push_back(file.data() + at);
      const int found = label(records_.size() - 1);
      if (found >= classes_) {
        throw input_error(path,
                          fmt::format("image {} has label {}, expected 0 to {}", at / record, found, classes_ - 1));
      }
    }
  }

  int classes_;
  std::size_t labels_;  ///< bytes before an image; the last one is used
  std::string place_;
  std::vector<MappedFile> files_;
  std::vector<const std::uint8_t*> records_;
  mutable std::once_flag hashed_;
  mutable Id128 content_;
};

std::vector<std::string> file_names(int classes, const std::string& split) {
  if (split != "train" && split != "test") return {};
  if (classes == 100) return {split + ".bin"};
  if (split == "test") return {"test_batch.bin"};
  return {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"};
}

}  // namespace

std::shared_ptr<const Dataset> open_cifar_dataset(const std::string& path, int classes, const std::string& split) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored)) {
    return std::make_shared<CifarDataset>(std::vector{path}, classes, path);
  }
  const std::vector<std::string> names = file_names(classes, split);
  if (names.empty()) throw input_error(path, fmt::format("found no split '{}', expected train or test", split));
  std::vector<std::string> files;
  for (const std::string& name : names) {
    files.push_back((std::filesystem::path(path) / name).string());
    if (!std::filesystem::exists(files.back(), ignored)) {
      throw input_error(path, fmt::format("found no {}, expected {}", name, fmt::join(names, ", ")));
    }
  }
  return std::make_shared<CifarDataset>(files, classes, path);
}

}  // namespace crossgrid
