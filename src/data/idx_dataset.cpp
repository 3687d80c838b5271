#include "crossgrid/data/idx_dataset.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "crossgrid/base/error.hpp"
#include "crossgrid/data/idx_file.hpp"
#include "crossgrid/data/images_hash.hpp"
#include "crossgrid/data/splits.hpp"

namespace crossgrid {
namespace {

class IdxDataset final : public Dataset {
 public:
  IdxDataset(IdxFile images, IdxFile labels, std::string folder)
      : images_(std::move(images)), labels_(std::move(labels)), folder_(std::move(folder)) {
    if (labels_.shape()[0] != images_.shape()[0]) {
      throw input_error(labels_.path(), fmt::format("found {} labels, expected {}, one per image of {}",
                                                    labels_.shape()[0], images_.shape()[0], images_.path()));
    }
    classes_ = 1 + *std::ranges::max_element(labels_.bytes());
  }

  std::uint64_t size() const override { return images_.shape()[0]; }
  int channels() const override { return 1; }
  int height() const override { return static_cast<int>(images_.shape()[1]); }
  int width() const override { return static_cast<int>(images_.shape()[2]); }
  int classes() const override { return classes_; }
  ImageView image(std::uint64_t index, ImageBuffer&) const override {
    const std::size_t size = std::size_t{images_.shape()[1]} * images_.shape()[2];
    return images_.bytes().subspan(index * size, size);
  }
  int label(std::uint64_t index) const override { return labels_.bytes()[index]; }

  Id128 content() const override {
    std::call_once(hashed_, [this] { content_ = images_content(*this); });
    return content_;
  }

  std::string description() const override {
    return fmt::format("{} images {}x{}x{}, {} classes, {} (idx)", grouped_digits(size()), height(), width(),
                       channels(), classes(), folder_);
  }

 private:
  IdxFile images_;
  IdxFile labels_;
  std::string folder_;
  int classes_ = 0;
  mutable std::once_flag hashed_;  // hashing touches every page of a mapped file: only where it is asked for
  mutable Id128 content_;
};

std::vector<std::string> file_names(const std::string& split, std::string_view noun, int dimensions) {
  std::vector<std::string> prefixes{split};
  if (split == "test") prefixes.emplace_back("t10k");
  std::vector<std::string> names;
  for (const std::string& prefix : prefixes) {
    for (const char* packing : {"", ".gz"}) {
      for (const char dash : {'-', '.'}) {
        names.push_back(fmt::format("{}-{}{}idx{}-ubyte{}", prefix, noun, dash, dimensions, packing));
      }
    }
  }
  return names;
}

std::optional<std::string> find_file(const std::filesystem::path& folder, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    std::error_code ignored;
    if (std::filesystem::exists(folder / name, ignored)) return (folder / name).string();
  }
  return std::nullopt;
}

/// Splits whose images lie in the folder.
std::vector<std::string> splits_in(const std::filesystem::path& folder) {
  std::set<std::string> splits;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    const std::size_t end = name.find("-images");
    if (end == std::string::npos || name.find("idx3-ubyte") == std::string::npos) continue;
    const std::string split = name.substr(0, end);
    splits.insert(split == "t10k" ? "test" : split);
  }
  return {splits.begin(), splits.end()};
}

void check_folder(const std::string& folder) {
  std::error_code ignored;
  const auto kind = std::filesystem::status(folder, ignored).type();
  if (kind == std::filesystem::file_type::directory) return;
  if (kind != std::filesystem::file_type::not_found) {
    throw input_error(folder, "found a file, expected a folder that holds the splits as IDX files");
  }
  throw input_error(folder, "no such folder, expected one that holds the splits as IDX files" + debian_hint(folder));
}

}  // namespace

std::shared_ptr<const Dataset> open_idx_dataset(const std::string& folder, const std::string& split) {
  check_folder(folder);
  check_split_name(folder, split);
  const std::vector<std::string> image_names = file_names(split, "images", 3);
  const auto images = find_file(folder, image_names);
  if (!images) {
    throw missing_split(folder, split, splits_in(folder),
                        fmt::format("IDX images, expected {}", fmt::join(image_names, " or ")));
  }
  const std::vector<std::string> label_names = file_names(split, "labels", 1);
  const auto labels = find_file(folder, label_names);
  if (!labels) {
    throw input_error(folder,
                      fmt::format("found {} without its labels, expected {}", *images, fmt::join(label_names, " or ")));
  }
  return std::make_shared<IdxDataset>(IdxFile(*images, 3), IdxFile(*labels, 1), folder);
}

}  // namespace crossgrid
