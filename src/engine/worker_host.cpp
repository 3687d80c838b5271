#include "crossgrid/engine/worker_host.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

#include "crossgrid/engine/failpoint.hpp"
#include "crossgrid/engine/mpi_transport.hpp"

namespace crossgrid {
namespace {

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown host";
}

int executor_threads(const Transport& transport, const EngineOptions& options) {
  if (options.executor_threads > 0) return options.executor_threads;
  return default_executor_threads(cores_in_mask(), transport.node_share().workers_sharing_cores);
}

/// A launcher that binds ranks to cores gives its executor less than its share of the node. What the launcher itself
/// may use is what there is to share.
std::string binding_warning(const Transport& transport, const EngineOptions& options) {
  int wanted = executor_threads(transport, options);
  if (options.executor_threads == 0 && transport.size() > 1) {
    const int share = cores_in_mask(::getppid()) / std::max(transport.node_share().workers_on_node, 1);
    wanted = std::max(wanted, share);
  }
  return affinity_warning(wanted, cores_in_mask(), launched_by_mpi());
}

}  // namespace

WorkerHost::WorkerHost(Transport& transport, const EngineOptions& options, const Clock& clock)
    : transport_(transport),
      clock_(clock),
      command_(options.executor_command),
      environment_{"CROSSGRID_EXECUTOR_THREADS=" + std::to_string(executor_threads(transport, options))},
      worker_(options.worker, {host_name(), ::getpid(), binding_warning(transport, options)}) {}

bool WorkerHost::turn() {
  bool busy = false;
  if (!std::exchange(said_hello_, true)) perform(worker_.start(clock_.now()));
  while (auto arrival = transport_.receive()) {
    busy = true;
    perform(worker_.on_message(clock_.now(), decode_message(arrival->bytes)));
  }
  std::vector<ExecutorEvent> events = std::exchange(failed_starts_, {});
  if (child_) std::ranges::move(child_->look(), std::back_inserter(events));
  for (ExecutorEvent& event : events) {
    busy = busy || !std::holds_alternative<ExecutorPulse>(event);
    if (std::holds_alternative<ExecutorDied>(event)) child_.reset();
    perform(worker_.on_executor(clock_.now(), std::move(event)));
  }
  perform(worker_.on_tick(clock_.now()));
  return busy;
}

void WorkerHost::perform(const WorkerActions& actions) {
  for (const ExecutorCommand& command : actions.executor) perform(command);
  for (const Message& message : actions.sends) {
    if (std::holds_alternative<OutcomesMessage>(message)) failpoint("worker.before_forward");
    transport_.send(0, encode_message(message));
  }
}

void WorkerHost::perform(const ExecutorCommand& command) {
  if (std::holds_alternative<SpawnExecutor>(command)) {
    start_executor();
  } else if (!child_) {
    return;  // it could not be started; the worker is told next
  } else if (std::holds_alternative<KillExecutor>(command)) {
    child_->kill();
  } else if (std::holds_alternative<CloseExecutor>(command)) {
    child_->close_channel();
  } else {
    child_->tell(std::get<TellExecutor>(command).message);
  }
}

void WorkerHost::start_executor() {
  failpoint("worker.before_spawn");
  try {
    child_ = ChildProcess::start(command_, environment_);
  } catch (const std::system_error& error) {
    failed_starts_.emplace_back(ExecutorDied{no_unit, std::string("could not be started: ") + error.what(), "", 0});
  }
}

void WorkerHost::add_descriptors(std::vector<pollfd>& descriptors) const {
  if (child_) child_->add_descriptors(descriptors);
}

int cores_in_mask(int process) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (::sched_getaffinity(process, sizeof mask, &mask) != 0) return 1;
  return std::max(CPU_COUNT(&mask), 1);
}

int default_executor_threads(int cores, int workers_sharing_cores) {
  return std::max(cores / std::max(workers_sharing_cores, 1), 1);
}

std::string affinity_warning(int wanted, int cores, bool under_mpi) {
  if (wanted <= cores) return "";
  return "executors may use only " + std::to_string(cores) + (cores == 1 ? " core" : " cores") + " where " +
         std::to_string(wanted) + " threads are wanted: " +
         (under_mpi ? "mpirun binds ranks to cores unless it is told --bind-to none"
                    : "the machine has no more, or this process is bound to these (taskset, cpuset)");
}

}  // namespace crossgrid
