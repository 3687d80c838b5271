#include "crossgrid/engine/signs_of_life.hpp"

#include <chrono>

#include "crossgrid/engine/message.hpp"

namespace crossgrid {

SignsOfLife::SignsOfLife(Transport& transport, double seconds)
    : transport_(transport), thread_([this, seconds] { tell(seconds); }) {}

SignsOfLife::~SignsOfLife() {
  {
    const std::scoped_lock lock(mutex_);
    end_ = true;
  }
  ended_.notify_one();
  thread_.join();
}

void SignsOfLife::tell(double seconds) {
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return end_; })) {
    for (int to = 1; to < transport_.size(); ++to) transport_.send(to, encode_message(AliveMessage{}));
  }
}

}  // namespace crossgrid
