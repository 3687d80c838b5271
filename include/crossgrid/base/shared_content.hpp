#pragma once

#include <memory>
#include <utility>

namespace crossgrid {

/// Constant data that many configurations share, or none. Two are equal where their contents are (their member
/// `content`, a hash): who holds one can be compared by `== default` and does not see paths or addresses.
template <class T>
class SharedContent {
 public:
  SharedContent() = default;
  SharedContent(std::shared_ptr<const T> data) : data_(std::move(data)) {}

  explicit operator bool() const { return data_ != nullptr; }
  const T& operator*() const { return *data_; }
  const T* operator->() const { return data_.get(); }

  friend bool operator==(const SharedContent& a, const SharedContent& b) {
    return a.data_ == b.data_ || (a.data_ && b.data_ && a.data_->content == b.data_->content);
  }

 private:
  std::shared_ptr<const T> data_;
};

}  // namespace crossgrid
