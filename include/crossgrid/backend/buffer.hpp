#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>

namespace crossgrid {

/// Floats aligned to a cache line, zero at first. Moves, does not copy.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t size) : data_(allocate(size)), size_(size) { std::fill_n(data(), size, 0.0f); }

  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  std::size_t size() const { return size_; }
  std::size_t bytes() const { return size_ * sizeof(float); }

 private:
  static constexpr std::align_val_t alignment{64};
  struct Free {
    void operator()(float* memory) const { ::operator delete(memory, alignment); }
  };
  static float* allocate(std::size_t size) {
    return static_cast<float*>(::operator new(std::max<std::size_t>(size, 1) * sizeof(float), alignment));
  }
  std::unique_ptr<float, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace crossgrid
