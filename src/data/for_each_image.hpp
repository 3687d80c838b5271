#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace crossgrid {

/// action(0) to action(count - 1), on all processors. What the one of the lowest index throws is thrown.
template <class Action>
void for_each_image(std::size_t count, const Action& action) {
  std::atomic<std::size_t> next{0};
  std::mutex guard;
  std::exception_ptr problem;
  std::size_t problem_at = count;
  const auto work = [&] {
    // Indices are taken in ascending order: when one fails, all below it have been taken and are finished.
    for (std::size_t k = next++; k < count; k = next++) {
      try {
        action(k);
      } catch (...) {
        const std::lock_guard lock(guard);
        if (k < problem_at) problem_at = k, problem = std::current_exception();
        next = count;
      }
    }
  };
  constexpr std::size_t images_per_thread = 16;
  std::vector<std::jthread> threads(
      std::min<std::size_t>(std::thread::hardware_concurrency(), count / images_per_thread));
  for (std::jthread& thread : threads) thread = std::jthread(work);
  work();
  threads.clear();
  if (problem) std::rethrow_exception(problem);
}

}  // namespace crossgrid
