#include "crossgrid/data/dataset.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/json.hpp"
#include "crossgrid/data/array_dataset.hpp"
#include "crossgrid/data/cifar_dataset.hpp"
#include "crossgrid/data/dataset_format.hpp"
#include "crossgrid/data/folder_dataset.hpp"
#include "crossgrid/data/idx_dataset.hpp"
#include "crossgrid/data/shaped_dataset.hpp"

namespace crossgrid {
namespace {

/// As stored; of the formats whose images all have one size.
std::shared_ptr<const Dataset> open_stored(const std::string& path, const std::string& format, const std::string& split,
                                           Layout layout) {
  if (format == "idx") return open_idx_dataset(path, split);
  if (format == "cifar10") return open_cifar_dataset(path, 10, split);
  if (format == "cifar100") return open_cifar_dataset(path, 100, split);
  if (format == "npy") return open_npy_dataset(path, split, layout);
  if (format == "npz") return open_npz_dataset(path, split, layout);
  const std::string nearest = nearest_name(format, dataset_format_names());
  throw input_error(
      path, fmt::format("found format '{}', expected auto or {}{}", format, fmt::join(dataset_format_names(), " or "),
                        nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest)));
}

}  // namespace

std::shared_ptr<const Dataset> open_dataset(const std::string& path, const std::string& format,
                                            const std::string& split, const DatasetOptions& options) {
  const std::string found = format == "auto" ? recognise_format(path) : format;
  if (options.layout != Layout::automatic && found != "npy" && found != "npz") {
    throw input_error(path, fmt::format("dataset.preprocess.layout has no effect: it is of arrays (npy, npz), and the "
                                        "format is {}",
                                        found));
  }
  if (found == "folder") return open_folder_dataset(path, split, options.geometry);
  std::shared_ptr<const Dataset> data = open_stored(path, found, split, options.layout);
  return options.geometry.none() ? data : shape_images(std::move(data), options.geometry, path);
}

}  // namespace crossgrid
