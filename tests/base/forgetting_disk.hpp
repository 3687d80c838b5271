#pragma once

#include <algorithm>
#include <cerrno>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "crossgrid/base/file.hpp"

namespace crossgrid {

/// A disk in memory that loses power. What was synced is safe; of the rest crash() keeps a random beginning, tears the
/// last write, fills random 512-byte sectors of it with zeros, and undoes names that were made, changed or removed
/// since their folder was synced.
class ForgettingDisk : public FileSystem {
 public:
  explicit ForgettingDisk(std::uint64_t seed = 1) : random_(seed) {}

  bool lies_about_sync = false;   ///< the deliberate fault: sync() does nothing
  std::uint64_t operations = 0;   ///< that change something
  std::uint64_t crash_after = 0;  ///< throw PowerLoss after so many operations; 0: never

  struct PowerLoss {};

  /// Power fails and comes back. Open files must not be used afterwards.
  void crash() {
    crash_after = 0;
    dead_ = false;
    const std::size_t kept = pick(pending_names_.size() + 1);
    for (std::size_t i = 0; i < kept; ++i) pending_names_[i](durable_names_);
    pending_names_.clear();
    names_ = durable_names_;
    for (auto& [path, node] : names_) node = std::make_shared<Node>(recover(*node));
    durable_names_ = names_;
  }

  /// For tests that damage files themselves.
  std::string& content(const std::string& path) {
    Node& node = *names_.at(path);
    node.pending.clear();
    return node.content;
  }
  void settle(const std::string& path) { names_.at(path)->durable = names_.at(path)->content; }
  void put(const std::string& path, const std::string& text) {
    auto node = std::make_shared<Node>();
    node->content = node->durable = text;
    names_[path] = durable_names_[path] = node;
    folders_.insert(folder_of(path));
  }
  bool has(const std::string& path) const { return names_.contains(path); }
  std::vector<std::string> paths() const {
    std::vector<std::string> result;
    for (const auto& [path, node] : names_) result.push_back(path);
    return result;
  }

  IoResult open(const std::string& path, OpenMode mode, std::unique_ptr<File>& file) override {
    if (dead_) return {0, EIO};
    const auto found = names_.find(path);
    if (found == names_.end()) {
      if (mode == OpenMode::read) return {0, ENOENT};
      if (!folders_.contains(folder_of(path))) return {0, ENOENT};
      step();
      const auto node = std::make_shared<Node>();
      change_names([path, node](Names& names) { names[path] = node; });
      file = std::make_unique<Handle>(*this, node);
      return {};
    }
    if (mode == OpenMode::create) {
      step();
      found->second->content.clear();
      found->second->pending.push_back({true, "", 0});
    }
    file = std::make_unique<Handle>(*this, found->second);
    return {};
  }
  IoResult rename(const std::string& from, const std::string& to) override {
    if (dead_) return {0, EIO};
    if (!names_.contains(from)) return {0, ENOENT};
    step();
    const auto node = names_.at(from);
    change_names([from, to, node](Names& names) {
      names.erase(from);
      names[to] = node;
    });
    return {};
  }
  IoResult remove(const std::string& path) override {
    if (dead_) return {0, EIO};
    if (!names_.contains(path)) return {0, ENOENT};
    step();
    change_names([path](Names& names) { names.erase(path); });
    return {};
  }
  IoResult sync_folder(const std::string&) override {
    if (dead_) return {0, EIO};
    step();
    if (lies_about_sync) return {};
    for (const auto& change : pending_names_) change(durable_names_);
    pending_names_.clear();
    return {};
  }
  IoResult create_folder(const std::string& folder) override {
    return folders_.insert(folder).second ? IoResult{} : IoResult{0, EEXIST};
  }
  IoResult list(const std::string& folder, std::vector<std::string>& names) override {
    names.clear();
    if (!folders_.contains(folder)) return {0, ENOENT};
    for (const auto& [path, node] : names_) {
      if (folder_of(path) == folder) names.push_back(path.substr(folder.size() + 1));
    }
    return {};
  }

 private:
  struct Change {
    bool truncate = false;
    std::string bytes;
    std::uint64_t size = 0;
  };
  struct Node {
    std::string content;
    std::string durable;
    std::vector<Change> pending;  ///< since the last sync
    bool locked = false;
  };
  using Names = std::map<std::string, std::shared_ptr<Node>>;

  class Handle : public File {
   public:
    Handle(ForgettingDisk& disk, std::shared_ptr<Node> node) : disk_(disk), node_(std::move(node)) {}
    ~Handle() override {
      if (holds_lock_) node_->locked = false;
    }
    IoResult write(std::string_view bytes) override {
      if (disk_.dead_) return {0, EIO};
      node_->content += bytes;
      node_->pending.push_back({false, std::string(bytes), 0});
      disk_.step();
      return {static_cast<std::int64_t>(bytes.size()), 0};
    }
    IoResult read(char* buffer, std::size_t size, std::uint64_t offset) override {
      if (offset >= node_->content.size()) return {};
      return {static_cast<std::int64_t>(node_->content.copy(buffer, size, offset)), 0};
    }
    IoResult size() override { return {static_cast<std::int64_t>(node_->content.size()), 0}; }
    IoResult truncate(std::uint64_t size) override {
      if (disk_.dead_) return {0, EIO};
      node_->content.resize(size);
      node_->pending.push_back({true, "", size});
      disk_.step();
      return {};
    }
    IoResult sync() override {
      if (disk_.dead_) return {0, EIO};
      if (!disk_.lies_about_sync) {
        node_->durable = node_->content;
        node_->pending.clear();
      }
      disk_.step();
      return {};
    }
    IoResult lock() override {
      if (node_->locked && !holds_lock_) return {0, EAGAIN};
      node_->locked = holds_lock_ = true;
      return {};
    }

   private:
    ForgettingDisk& disk_;
    std::shared_ptr<Node> node_;
    bool holds_lock_ = false;
  };

  void step() {
    ++operations;
    if (crash_after != 0 && operations >= crash_after) {
      dead_ = true;  // destructors on the way out reach nothing any more
      throw PowerLoss{};
    }
  }
  template <typename ChangeNames>
  void change_names(ChangeNames change) {
    change(names_);
    pending_names_.push_back(change);
  }
  std::size_t pick(std::size_t choices) { return std::uniform_int_distribution<std::size_t>(0, choices - 1)(random_); }

  /// What of a file comes back.
  Node recover(const Node& node) {
    std::string text = node.durable;
    const std::size_t kept = pick(node.pending.size() + 1);
    std::size_t safe = text.size();
    for (std::size_t i = 0; i < kept; ++i) {
      const Change& change = node.pending[i];
      if (change.truncate) {
        text.resize(change.size);
        safe = std::min(safe, text.size());
      } else {
        const bool last = i + 1 == kept;
        text += last ? change.bytes.substr(0, pick(change.bytes.size() + 1)) : change.bytes;
      }
    }
    constexpr std::size_t sector = 512;
    for (std::size_t begin = safe / sector * sector; begin < text.size(); begin += sector) {
      if (pick(4) != 0) continue;
      for (std::size_t i = std::max(begin, safe); i < std::min(begin + sector, text.size()); ++i) text[i] = 0;
    }
    Node result;
    result.content = result.durable = text;
    return result;
  }

  std::mt19937_64 random_;
  bool dead_ = false;
  Names names_;
  Names durable_names_;
  std::vector<std::function<void(Names&)>> pending_names_;
  std::set<std::string> folders_{".", "/"};
};

}  // namespace crossgrid
