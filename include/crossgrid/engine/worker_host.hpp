#pragma once

#include <memory>
#include <string>
#include <vector>

#include "crossgrid/engine/child_process.hpp"
#include "crossgrid/engine/run_engine.hpp"
#include "crossgrid/engine/transport.hpp"
#include "crossgrid/engine/worker.hpp"

namespace crossgrid {

/// Lets a Worker meet the world: carries its messages over the transport and its commands to a real executor process.
class WorkerHost {
 public:
  WorkerHost(Transport& transport, const EngineOptions& options, const Clock& clock);

  /// Looks at everything once without waiting; true when something happened.
  bool turn();
  void add_descriptors(std::vector<pollfd>& descriptors) const;
  const Worker& worker() const { return worker_; }

 private:
  void perform(const WorkerActions& actions);
  void perform(const ExecutorCommand& command);
  void start_executor();

  Transport& transport_;
  const Clock& clock_;
  std::vector<std::string> command_;
  std::vector<std::string> environment_;
  Worker worker_;
  std::unique_ptr<ChildProcess> child_;
  std::vector<ExecutorEvent> failed_starts_;
  bool said_hello_ = false;
};

}  // namespace crossgrid
