#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "data/temporary_folder.hpp"

namespace crossgrid::testing {

/// Decoded images go into a folder of the test for as long as this lives.
class CacheFolder {
 public:
  CacheFolder() {
    const char* const before = std::getenv("XDG_CACHE_HOME");
    if (before != nullptr) before_ = before;
    ::setenv("XDG_CACHE_HOME", folder_.file("cache").c_str(), 1);
  }
  ~CacheFolder() {
    if (before_.empty()) {
      ::unsetenv("XDG_CACHE_HOME");
    } else {
      ::setenv("XDG_CACHE_HOME", before_.c_str(), 1);
    }
  }
  CacheFolder(const CacheFolder&) = delete;
  CacheFolder& operator=(const CacheFolder&) = delete;

  /// Where a test may put files of its own.
  const TemporaryFolder& folder() const { return folder_; }
  /// What lies in the cache.
  std::vector<std::filesystem::path> files() const {
    std::vector<std::filesystem::path> found;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.file("cache") + "/crossgrid", none)) {
      found.push_back(entry.path());
    }
    return found;
  }

 private:
  TemporaryFolder folder_;
  std::string before_;
};

}  // namespace crossgrid::testing
