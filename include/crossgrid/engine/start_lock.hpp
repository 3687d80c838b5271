#pragma once

#include <functional>
#include <memory>
#include <string>

#include "crossgrid/base/file.hpp"

namespace crossgrid {

/// Runs begin in a folder one after the other: from looking at what is there until the own journal says who has begun,
/// nobody else does the same. So shards that start at once agree on the sweep and its numeric class.
class StartLock {
 public:
  /// Creates the folder; waits for another's start up to `patience` seconds, then Error(busy). Where the file system
  /// has no locks, nothing is held.
  StartLock(FileSystem& files, const std::string& folder, double patience = 120);

 private:
  std::unique_ptr<File> file_;
};

}  // namespace crossgrid
