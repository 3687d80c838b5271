#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace crossgrid {

/// A fixed number of threads that pull the indices of a loop.
class ThreadTeam {
 public:
  explicit ThreadTeam(int threads);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  int threads() const { return threads_; }

  /// Calls body(index, lane) for every index below `count`; a lane (0 .. threads - 1) is in one thread at a time, so it
  /// can own buffers. After an exception no new index is started and the first exception is thrown here.
  void parallel_for(std::size_t count, const std::function<void(std::size_t index, int lane)>& body);

 private:
  struct Pool;
  int threads_;
  std::unique_ptr<Pool> pool_;
};

}  // namespace crossgrid
