#pragma once

#include <deque>

#include "crossgrid/engine/transport.hpp"

namespace crossgrid {

/// Rank 0 and one worker, rank 1, in the same thread of one process. Each end is a Transport.
class LoopbackTransport {
 public:
  LoopbackTransport() : scheduler_end_(0, to_scheduler_, to_worker_), worker_end_(1, to_worker_, to_scheduler_) {}
  LoopbackTransport(const LoopbackTransport&) = delete;
  LoopbackTransport& operator=(const LoopbackTransport&) = delete;
  Transport& scheduler_end() { return scheduler_end_; }
  Transport& worker_end() { return worker_end_; }

 private:
  using Queue = std::deque<std::string>;
  class End : public Transport {
   public:
    End(int rank, Queue& in, Queue& out) : rank_(rank), in_(in), out_(out) {}
    int rank() const override { return rank_; }
    int size() const override { return 2; }
    void send(int to, std::string bytes) override;
    std::optional<Arrival> receive() override;
    void finish(bool) override {}

   private:
    int rank_;
    Queue& in_;
    Queue& out_;
  };

  Queue to_scheduler_, to_worker_;
  End scheduler_end_, worker_end_;
};

}  // namespace crossgrid
