#include "crossgrid/data/stored_array.hpp"

#include "crossgrid/data/mapped_file.hpp"

namespace crossgrid {

StoredArray map_npy(const std::string& path) {
  const auto file = std::make_shared<const MappedFile>(path);
  return {path, view_npy(file->bytes(), path), file};
}

}  // namespace crossgrid
