#pragma once

#include <cerrno>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "crossgrid/base/file.hpp"

namespace crossgrid {

/// Hands every call on to another file system, counts them, and fails the N-th one: with an errno, or (error 0) by a
/// write that stops half way.
class FailingFiles : public FileSystem {
 public:
  explicit FailingFiles(FileSystem& files) : files_(files) {}

  std::uint64_t calls = 0;
  std::uint64_t fail_at = 0;  ///< counted from 1; 0: never
  int error = EIO;
  bool later_too = false;    ///< all calls after it fail as well
  bool only_writes = false;  ///< count only write()
  bool half_write = false;   ///< with later_too: a failing write first writes half, the next call fails

  IoResult open(const std::string& path, OpenMode mode, std::unique_ptr<File>& file) override {
    std::unique_ptr<File> inner;
    const IoResult result = pass(false, [&] { return files_.open(path, mode, inner); });
    if (result.ok()) file = std::make_unique<Handle>(*this, std::move(inner));
    return result;
  }
  IoResult rename(const std::string& from, const std::string& to) override {
    return pass(false, [&] { return files_.rename(from, to); });
  }
  IoResult remove(const std::string& path) override {
    return pass(false, [&] { return files_.remove(path); });
  }
  IoResult sync_folder(const std::string& folder) override {
    return pass(false, [&] { return files_.sync_folder(folder); });
  }
  IoResult create_folder(const std::string& folder) override {
    return pass(false, [&] { return files_.create_folder(folder); });
  }
  IoResult list(const std::string& folder, std::vector<std::string>& names) override {
    return pass(false, [&] { return files_.list(folder, names); });
  }

 private:
  class Handle : public File {
   public:
    Handle(FailingFiles& owner, std::unique_ptr<File> inner) : owner_(owner), inner_(std::move(inner)) {}
    IoResult write(std::string_view bytes) override {
      if (!owner_.due(true)) return inner_->write(bytes);
      const bool tears = owner_.error == 0 || (owner_.half_write && !torn_);
      torn_ = tears;
      return tears ? inner_->write(bytes.substr(0, (bytes.size() + 1) / 2)) : IoResult{0, owner_.error};
    }
    IoResult read(char* buffer, std::size_t size, std::uint64_t offset) override {
      return owner_.pass(false, [&] { return inner_->read(buffer, size, offset); });
    }
    IoResult size() override {
      return owner_.pass(false, [&] { return inner_->size(); });
    }
    IoResult truncate(std::uint64_t size) override {
      return owner_.pass(false, [&] { return inner_->truncate(size); });
    }
    IoResult sync() override {
      return owner_.pass(false, [&] { return inner_->sync(); });
    }
    IoResult lock() override {
      return owner_.pass(false, [&] { return inner_->lock(); });
    }

   private:
    FailingFiles& owner_;
    std::unique_ptr<File> inner_;
    bool torn_ = false;  ///< the last write was
  };

  bool due(bool is_write) {
    if (only_writes && !is_write) return false;
    ++calls;
    return fail_at != 0 && (calls == fail_at || (later_too && calls > fail_at));
  }
  IoResult pass(bool is_write, const std::function<IoResult()>& call) {
    if (due(is_write) && error != 0) return {0, error};
    return call();
  }

  FileSystem& files_;
};

}  // namespace crossgrid
