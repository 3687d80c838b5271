#include "crossgrid/backend/thread_team.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <future>
#include <vector>

namespace crossgrid {

struct ThreadTeam::Pool {
  explicit Pool(int count) : threads(static_cast<std::size_t>(count)) {}
  ~Pool() { threads.join(); }
  boost::asio::thread_pool threads;
};

ThreadTeam::ThreadTeam(int threads) : threads_(std::max(threads, 1)), pool_(std::make_unique<Pool>(threads_)) {}
ThreadTeam::~ThreadTeam() = default;

void ThreadTeam::parallel_for(std::size_t count, const std::function<void(std::size_t, int)>& body) {
  std::atomic<std::size_t> next{0};
  std::vector<std::future<void>> lanes;
  const int used = static_cast<int>(std::min<std::size_t>(count, static_cast<std::size_t>(threads_)));
  for (int lane = 0; lane < used; ++lane) {
    std::packaged_task<void()> work([&, lane] {
      try {
        for (std::size_t index = next++; index < count; index = next++) body(index, lane);
      } catch (...) {
        next = count;
        throw;
      }
    });
    lanes.push_back(work.get_future());
    boost::asio::post(pool_->threads, std::move(work));
  }
  // All lanes must have ended before an exception leaves: they use this function's variables.
  for (std::future<void>& lane : lanes) lane.wait();
  for (std::future<void>& lane : lanes) lane.get();
}

}  // namespace crossgrid
