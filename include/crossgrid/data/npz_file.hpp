#pragma once

#include <memory>
#include <string>
#include <vector>

#include "crossgrid/data/stored_array.hpp"

struct zip;

namespace crossgrid {

/// NumPy's NPZ format: a zip file of NPY files.
class NpzFile {
 public:
  /// Error(bad_input) where it is no zip file.
  explicit NpzFile(std::string path);

  const std::string& path() const { return path_; }
  /// Of its arrays, without ".npy".
  const std::vector<std::string>& names() const { return names_; }
  /// Unpacks an array that is there, once (decode_once). Error(bad_input) where it is damaged or no array.
  StoredArray array(const std::string& name) const;

 private:
  std::string path_;
  std::unique_ptr<zip, void (*)(zip*)> zip_;
  std::vector<std::string> names_;
};

}  // namespace crossgrid
