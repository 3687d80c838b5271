#include "crossgrid/data/dataset_format.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <set>

#include "crossgrid/base/error.hpp"
#include "crossgrid/data/array_dataset.hpp"
#include "crossgrid/data/folder_dataset.hpp"
#include "crossgrid/data/splits.hpp"

namespace crossgrid {
namespace {

namespace fs = std::filesystem;

constexpr const char* expectation =
    "IDX files (train-images-idx3-ubyte), CIFAR's .bin files, NPY files (test_images.npy, x_test.npy), an NPZ file or "
    "folders of images (test/CLASS/IMAGE.png)";

/// Whether a folder holds an image within `depth` further folders; only the first entry of each kind is followed.
bool holds_images(const fs::path& folder, int depth) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.is_directory(ignored) ? depth > 0 && holds_images(entry.path(), depth - 1)
                                    : names_image(entry.path().string())) {
      return true;
    }
  }
  return false;
}

/// Empty where a file's name tells no format.
std::string format_of_file(const fs::path& file) {
  const std::string name = file.filename().string(), ending = file.extension().string();
  if (name.find("idx3-ubyte") != std::string::npos) return "idx";
  if (ending == ".npz") return "npz";
  if (ending == ".npy" && names_images(file.stem().string())) return "npy";
  if (name == "test_batch.bin" || name.starts_with("data_batch_")) return ending == ".bin" ? "cifar10" : "";
  return name == "test.bin" || name == "train.bin" ? "cifar100" : "";
}

std::string recognise_folder(const std::string& path) {
  std::set<std::string> found;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(path, failed)) {
    const bool folder = entry.is_directory(failed);
    if (folder && holds_images(entry.path(), 1)) found.insert("folder");
    const std::string format = folder ? "" : format_of_file(entry.path());
    if (!format.empty()) found.insert(format);
  }
  if (found.size() == 1) return *found.begin();
  if (found.empty()) throw input_error(path, fmt::format("found no data set, expected {}", expectation));
  throw input_error(path,
                    fmt::format("found data sets of several formats: {}; say dataset.format", fmt::join(found, ", ")));
}

std::string recognise_file(const std::string& path) {
  const std::string format = format_of_file(path);
  if (format == "npz" || format.starts_with("cifar")) return format;
  constexpr std::uintmax_t cifar10 = 3073, cifar100 = 3074;
  const std::uintmax_t size = fs::file_size(path);
  if (fs::path(path).extension() == ".bin" && (size % cifar10 == 0) != (size % cifar100 == 0)) {
    return size % cifar10 == 0 ? "cifar10" : "cifar100";
  }
  throw input_error(path, fmt::format("found a file that tells no format, expected a folder with {}; else say "
                                      "dataset.format",
                                      expectation));
}

}  // namespace

const std::vector<std::string>& dataset_format_names() {
  static const std::vector<std::string> names{"idx", "cifar10", "cifar100", "npy", "npz", "folder"};
  return names;
}

std::string recognise_format(const std::string& path) {
  std::error_code ignored;
  const auto kind = fs::status(path, ignored).type();
  if (kind == fs::file_type::directory) return recognise_folder(path);
  if (kind == fs::file_type::regular) return recognise_file(path);
  throw input_error(path, fmt::format("no such folder or file, expected {}{}", expectation, debian_hint(path)));
}

}  // namespace crossgrid
