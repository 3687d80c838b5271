#include "crossgrid/data/dataset.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/json.hpp"
#include "crossgrid/data/cifar_dataset.hpp"
#include "crossgrid/data/idx_dataset.hpp"

namespace crossgrid {

std::shared_ptr<const Dataset> open_dataset(const std::string& path, const std::string& format,
                                            const std::string& split) {
  if (format == "auto" || format == "idx") return open_idx_dataset(path, split);
  if (format == "cifar10") return open_cifar_dataset(path, 10, split);
  if (format == "cifar100") return open_cifar_dataset(path, 100, split);
  const std::vector<std::string> planned{"npy", "npz", "folder"}, known{"auto", "idx", "cifar10", "cifar100"};
  if (std::ranges::find(planned, format) != planned.end()) {
    throw input_error(
        path, fmt::format("format '{}' is known but not yet supported, expected {}", format, fmt::join(known, " or ")));
  }
  const std::string nearest = nearest_name(format, known);
  throw input_error(path, fmt::format("found format '{}', expected {}{}", format, fmt::join(known, " or "),
                                      nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest)));
}

}  // namespace crossgrid
