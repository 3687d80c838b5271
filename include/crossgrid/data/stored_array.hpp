#pragma once

#include <memory>
#include <string>

#include "crossgrid/data/npy_file.hpp"

namespace crossgrid {

/// An NPY array with the memory that it lies in, and its name in messages.
struct StoredArray {
  std::string name;
  NpyView view;
  std::shared_ptr<const void> owner;
};

/// Maps an NPY file. Errors as read_npy().
StoredArray map_npy(const std::string& path);

}  // namespace crossgrid
