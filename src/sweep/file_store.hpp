#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace crossgrid {

/// Files that parameters name. Reading a sweep loads them afresh; every point then finds them without touching the
/// disk.
template <class T>
class FileStore {
 public:
  using Reader = std::shared_ptr<const T> (*)(const std::string& path);
  explicit FileStore(Reader read) : read_(read) {}

  /// Reads the file, again if it was read before: it may have changed since the last sweep.
  std::shared_ptr<const T> load(const std::string& path) {
    std::shared_ptr<const T> content = read_(path);
    const std::scoped_lock lock(mutex_);
    return files_[path] = std::move(content);
  }
  /// As it was loaded; reads it where it was not.
  std::shared_ptr<const T> find(const std::string& path) {
    {
      const std::scoped_lock lock(mutex_);
      if (const auto found = files_.find(path); found != files_.end()) {
        return found->second;
      }
    }
    return load(path);
  }

 private:
  Reader read_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const T>> files_;
};

}  // namespace crossgrid
