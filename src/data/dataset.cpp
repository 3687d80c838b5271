#include "crossgrid/data/dataset.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "crossgrid/base/error.hpp"
#include "crossgrid/base/json.hpp"
#include "crossgrid/data/idx_dataset.hpp"

namespace crossgrid {

std::shared_ptr<const Dataset> open_dataset(const std::string& path, const std::string& format,
                                            const std::string& split) {
  if (format == "auto" || format == "idx") return open_idx_dataset(path, split);
  const std::vector<std::string> planned{"cifar10", "cifar100", "npy", "npz", "folder"};
  if (std::ranges::find(planned, format) != planned.end()) {
    throw input_error(path, fmt::format("format '{}' is known but not yet supported, expected auto or idx", format));
  }
  const std::string nearest = nearest_name(format, {"auto", "idx"});
  throw input_error(path, fmt::format("found format '{}', expected auto or idx{}", format,
                                      nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest)));
}

}  // namespace crossgrid
