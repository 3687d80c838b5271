#pragma once

#include <cstddef>
#include <functional>

#include "crossgrid/backend/thread_team.hpp"

namespace crossgrid {

enum class ExecutorKind { host, cuda };

/// Where a network's micro-batches run. A lane is what takes one micro-batch at a time through the network: a thread of
/// the host, a stream of a GPU.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual ExecutorKind kind() const = 0;
  virtual int lanes() const = 0;
  /// ThreadTeam::parallel_for over the executor's lanes.
  virtual void run(std::size_t tasks, const std::function<void(std::size_t task, int lane)>& body) = 0;
};

class HostExecutor final : public Executor {
 public:
  explicit HostExecutor(int threads) : team_(threads) {}
  ExecutorKind kind() const override { return ExecutorKind::host; }
  int lanes() const override { return team_.threads(); }
  void run(std::size_t tasks, const std::function<void(std::size_t, int)>& body) override {
    team_.parallel_for(tasks, body);
  }

 private:
  ThreadTeam team_;
};

}  // namespace crossgrid
