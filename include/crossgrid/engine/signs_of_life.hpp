#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "crossgrid/engine/transport.hpp"

namespace crossgrid {

/// While it lives, tells all workers every `seconds` that rank 0 does: its main thread loads networks and data, which
/// may take longer than the workers' lease. Nobody else may use the transport meanwhile.
class SignsOfLife {
 public:
  explicit SignsOfLife(Transport& transport, double seconds = 1);
  ~SignsOfLife();
  SignsOfLife(const SignsOfLife&) = delete;
  SignsOfLife& operator=(const SignsOfLife&) = delete;

 private:
  void tell(double seconds);

  Transport& transport_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool end_ = false;
  std::thread thread_;
};

}  // namespace crossgrid
