#include "crossgrid/engine/mpi_transport.hpp"

#define OMPI_SKIP_MPICXX 1
#include <mpi.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <vector>

#include "crossgrid/base/error.hpp"

namespace crossgrid {
namespace {

constexpr int message_tag = 1;

/// What ranks of one node tell each other at the start.
struct NodeEntry {
  int rank = 0;
  cpu_set_t mask;
};

NodeShare measure_node_share(int rank) {
  MPI_Comm node = MPI_COMM_NULL;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &node);
  int size = 1;
  MPI_Comm_size(node, &size);
  NodeEntry own;
  own.rank = rank;
  CPU_ZERO(&own.mask);
  ::sched_getaffinity(0, sizeof own.mask, &own.mask);
  std::vector<NodeEntry> entries(static_cast<std::size_t>(size));
  MPI_Allgather(&own, sizeof own, MPI_BYTE, entries.data(), sizeof own, MPI_BYTE, node);
  MPI_Comm_free(&node);
  NodeShare share{0, 0};
  for (const NodeEntry& entry : entries) {
    if (entry.rank == 0) continue;  // rank 0 only schedules
    ++share.workers_on_node;
    cpu_set_t common;
    CPU_AND(&common, &own.mask, &entry.mask);
    if (CPU_COUNT(&common) > 0) ++share.workers_sharing_cores;
  }
  return share;
}

/// True for Open MPI's launcher and its daemon on other nodes; a parent of another kind (Slurm's) is left alone.
bool parent_is_launcher() {
  static const std::set<std::string> launchers = {"mpirun", "mpiexec", "orterun", "orted", "prterun", "prted"};
  std::ifstream file("/proc/" + std::to_string(::getppid()) + "/comm");
  std::string name;
  return std::getline(file, name) && launchers.contains(name);
}

}  // namespace

struct MpiTransport::Transfer {
  int peer = 0;
  std::string bytes;
  MPI_Request request = MPI_REQUEST_NULL;

  bool complete() {
    int done = 0;
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    return done != 0;
  }
};

bool launched_by_mpi() {
  return std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr || std::getenv("PMIX_RANK") != nullptr;
}

MpiTransport::MpiTransport() {
  int provided = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
  MPI_Comm_size(MPI_COMM_WORLD, &size_);
  node_share_ = measure_node_share(rank_);
  // From here on a failed transfer is a lost rank, for which there are leases.
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
}

MpiTransport::~MpiTransport() = default;

void MpiTransport::send(int to, std::string bytes) {
  if (bytes.size() > INT_MAX) throw Error(ExitCode::internal, "a message of more than 2 GiB can't be sent");
  drop_sent();
  auto transfer = std::make_unique<Transfer>();
  transfer->peer = to;
  transfer->bytes = std::move(bytes);
  MPI_Isend(transfer->bytes.data(), static_cast<int>(transfer->bytes.size()), MPI_BYTE, to, message_tag, MPI_COMM_WORLD,
            &transfer->request);
  outgoing_.push_back(std::move(transfer));
}

void MpiTransport::drop_sent() {
  outgoing_.remove_if([](const std::unique_ptr<Transfer>& transfer) { return transfer->complete(); });
}

std::optional<Transport::Arrival> MpiTransport::receive() {
  accept_arrivals();
  // A long message completes after later short ones: the order of each rank's messages is kept here.
  std::set<int> waiting;
  for (auto entry = incoming_.begin(); entry != incoming_.end(); ++entry) {
    Transfer& transfer = **entry;
    if (waiting.contains(transfer.peer)) continue;
    if (!transfer.complete()) {
      waiting.insert(transfer.peer);
      continue;
    }
    Arrival arrival{transfer.peer, std::move(transfer.bytes)};
    incoming_.erase(entry);
    return arrival;
  }
  if (!outgoing_.empty()) drop_sent();
  return std::nullopt;
}

/// Never a blocking receive: the sender of a long message may die between its announcement and its data.
void MpiTransport::accept_arrivals() {
  while (true) {
    int arrived = 0;
    MPI_Status status;
    MPI_Iprobe(MPI_ANY_SOURCE, message_tag, MPI_COMM_WORLD, &arrived, &status);
    if (arrived == 0) return;
    int size = 0;
    MPI_Get_count(&status, MPI_BYTE, &size);
    auto transfer = std::make_unique<Transfer>();
    transfer->peer = status.MPI_SOURCE;
    transfer->bytes.resize(static_cast<std::size_t>(size));
    MPI_Irecv(transfer->bytes.data(), size, MPI_BYTE, status.MPI_SOURCE, message_tag, MPI_COMM_WORLD,
              &transfer->request);
    incoming_.push_back(std::move(transfer));
  }
}

void MpiTransport::finish(bool lost_ranks) {
  if (finished_) return;
  finished_ = true;
  if (!lost_ranks) {
    for (const auto& transfer : outgoing_) {
      // send() started it; the checker sees no request that is kept in a container.
      // NOLINTNEXTLINE(clang-analyzer-optin.mpi.MPI-Checker)
      MPI_Wait(&transfer->request, MPI_STATUS_IGNORE);
    }
    outgoing_.clear();
    MPI_Finalize();
  } else if (parent_is_launcher()) {
    ::kill(::getppid(), SIGTERM);
  }
}

}  // namespace crossgrid
